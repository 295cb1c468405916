"""Settings, from the environment (FHIR_GATEWAY_…) and a TOML file; read once, handed down.

docs/operate.md lists them all; a test keeps that list complete.
"""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from fhir_gateway.auth.credentials import EprCredentials, credential_problems
from fhir_gateway.conformance_page.settings import ConformanceSettings
from fhir_gateway.delivery.settings import DeliverySettings, delivery_problems
from fhir_gateway.errors import Refused
from fhir_gateway.matching.policy import YOUNGEST, Difference
from fhir_gateway.misspelt import misspelt
from fhir_gateway.rest.settings import ApiSettings, api_problems
from fhir_gateway.rest.subscription_settings import SubscriptionSettings
from fhir_gateway.sms.settings import TextSettings
from fhir_gateway.web_address import is_address, is_local

PREFIX = "FHIR_GATEWAY_"
FILE_VARIABLE = f"{PREFIX}SETTINGS"
DEFAULT_FILE = "fhir-gateway.toml"
_MIN_KEY = 32
_ADDRESSES = (
    "pds_base_url notify_base_url twilio_base_url nhs_notify_base_url alarm_webhook"
).split()
_DATABASES = ("postgresql://", "postgres://", "postgresql+psycopg://", "sqlite:///")


class Settings(
    TextSettings,
    DeliverySettings,
    ConformanceSettings,
    ApiSettings,
    SubscriptionSettings,
    BaseSettings,
):
    """All settings of a gateway. Each can be set as FHIR_GATEWAY_<NAME> or in the file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    data_dir: Path = Field(
        Path("fhir-gateway-data"),
        description="Folder for the SQLite database and, when no key is set, the secret key.",
    )
    database_url: str | None = Field(
        None,
        description="Database, such as postgresql://user:password@host/name. "
        "Default: SQLite in data_dir.",
    )
    base_url: str = Field(
        "http://127.0.0.1:8080", description="Address at which patients reach the gateway."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on.")
    forwarded_allow_ips: str = Field(
        "127.0.0.1", description="Proxies whose X-Forwarded-For is believed, separated by commas."
    )
    secret_keys: tuple[SecretStr, ...] = Field(
        (),
        description="Keys that seal patient data, the current one first, each 32 characters or "
        "more. Default: a key made at the first start, in data_dir/secret.key.",
    )
    questionnaires: Path | None = Field(
        None, description="Folder of further Questionnaires, ValueSets and CodeSystems."
    )
    mappings: Path | None = Field(None, description="Folder of further mapping targets.")
    profiles: Path | None = Field(
        None,
        description="Profiles that everything sent is checked against: a FHIR package (.tgz), or a "
        "folder of StructureDefinitions, ValueSets and CodeSystems, such as UK Core.",
    )
    terminology_server: str | None = Field(
        None,
        description="FHIR base of a terminology server, for value sets of questionnaires that are "
        "not at hand. The only one that is ever asked.",
    )
    pds_base_url: str = Field(
        "https://sandbox.api.service.nhs.uk/personal-demographics/FHIR/R4",
        description="Base of the PDS FHIR API, up to /FHIR/R4.",
    )
    pds_token: SecretStr | None = Field(
        None, description="Bearer token for PDS. Not needed for the open sandbox."
    )
    pds_client_id: str = Field(
        "", description="API key of the application, for signed JWT authentication on PDS."
    )
    pds_token_url: str = Field(
        "", description="Token endpoint. Default: /oauth2/token on the host of pds_base_url."
    )
    signing_keys: tuple[Path, ...] = Field(
        (),
        description="PEM files with RSA private keys, each named after its kid. The first signs; "
        "the public halves of all are published at /.well-known/jwks.json.",
    )
    matching_forgiven: tuple[Difference, ...] = Field(
        tuple(Difference),
        description="Differences of which one is forgiven in a match; fewer make it stricter.",
    )
    matching_youngest: int = Field(
        YOUNGEST, ge=YOUNGEST, description="Age in years below which nobody is matched."
    )
    epr_token: SecretStr | None = Field(
        None, description="Bearer token for EPRs that have no epr_credentials."
    )
    epr_credentials: tuple[EprCredentials, ...] = Field(
        (),
        description="Credentials for EPRs, each for one base_url: SMART, client secret, bearer, "
        "client certificate (docs/epr.md).",
    )
    worker_id: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=100,
        description="Name of this process among those that deliver, for logs. Each start of it is "
        "told apart. Default: the host's name.",
    )
    log_format: str = Field("json", pattern="json|text", description="Logs as json or text.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code wins, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, toml_file=settings_file())
        return init_settings, env_settings, file

    @property
    def token_url(self) -> str:
        """The token endpoint for PDS."""
        base = urlsplit(self.pds_base_url)
        return self.pds_token_url or f"{base.scheme}://{base.netloc}/oauth2/token"

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'gateway.db').resolve()}"


_NAMES = (*Settings.model_fields, FILE_VARIABLE.removeprefix(PREFIX).lower())


class SettingsRefused(Refused):
    """The settings cannot be used; `problems` says everything that is wrong with them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), code="settings-refused")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about the settings. `serious`: the gateway must not run with real patients."""

    setting: str
    text: str
    serious: bool


def settings_file() -> Path | None:
    """The settings file: FHIR_GATEWAY_SETTINGS, or fhir-gateway.toml here, or none."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    return Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None


def load(**given: Any) -> Settings:
    """The settings. `given` wins over environment and file. Raises SettingsRefused."""
    file = settings_file()
    if file is not None and not file.is_file():
        raise SettingsRefused([f"{FILE_VARIABLE} names {file}, which is not there."])
    try:
        return Settings(**given)
    except OSError as error:
        raise SettingsRefused([f"{file} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsRefused([f"{file} cannot be read: it is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused([f"{file} cannot be read: {error}"]) from None
    except SettingsError as error:
        # It names the setting, and not its value, which can be a secret.
        raise SettingsRefused([f"{error}: a list or a table is given as JSON."]) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise SettingsRefused(
            [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found]
        ) from None


def problems(settings: Settings) -> list[Problem]:
    """What is wrong, or wrong for real patients, with settings that can be read."""
    return [
        *_address_problems(settings),
        *_key_problems(settings),
        *_neighbour_problems(settings),
        *_place_problems(settings),
        *(Problem(*found) for found in chain(*_of_rooms(settings))),
    ]


def _of_rooms(settings: Settings) -> Iterator[Iterator[tuple[str, str, bool]]]:
    kids, pds = [key.stem for key in settings.signing_keys], bool(settings.pds_client_id)
    yield misspelt(os.environ, _NAMES, PREFIX)
    yield delivery_problems(settings)
    yield api_problems(settings)
    yield credential_problems(settings.epr_credentials, kids, pds=pds)


def _address_problems(settings: Settings) -> Iterator[Problem]:
    if not is_address(settings.base_url):
        yield Problem("base_url", "It must be an http or https address.", serious=True)
        return
    base = urlsplit(settings.base_url)
    if base.scheme == "http" and not is_local(settings.base_url):
        yield Problem("base_url", "Patients must reach the gateway over https.", serious=True)
    if base.path.rstrip("/") or base.query:
        yield Problem("base_url", "It must have no path: links are made from it.", serious=True)


def _key_problems(settings: Settings) -> Iterator[Problem]:
    if any(len(key.get_secret_value()) < _MIN_KEY for key in settings.secret_keys):
        yield Problem("secret_keys", "Each must have 32 characters or more.", serious=True)
    if not settings.secret_keys:
        yield Problem(
            "secret_keys",
            "None is set, so a key is kept in data_dir, beside the data it seals.",
            serious=not is_local(settings.base_url),
        )


def _neighbour_problems(settings: Settings) -> Iterator[Problem]:
    needed: tuple[str, ...] = ("notify_api_key", "notify_template_id")
    if settings.text_provider == "twilio":
        needed = ("twilio_account", "twilio_auth_token", "twilio_sender")
    for name in needed:
        if not getattr(settings, name):
            yield Problem(name, "Without it no text can be sent.", serious=True)
    for name in _ADDRESSES:
        if getattr(settings, name) and not is_address(getattr(settings, name)):
            yield Problem(name, "It must be an http or https address.", serious=True)
    if "sandbox" in settings.pds_base_url:
        yield Problem("pds_base_url", "It is a sandbox: no real patient is found.", serious=False)
    elif not (settings.pds_token or settings.pds_client_id or is_local(settings.pds_base_url)):
        text = "PDS asks for a token outside of its sandbox: set pds_client_id and signing_keys."
        yield Problem("pds_token", text, serious=True)
    if settings.pds_client_id and not settings.signing_keys:
        yield Problem("signing_keys", "pds_client_id needs a key to sign with.", serious=True)
    if settings.pds_client_id and settings.pds_token:
        yield Problem("pds_token", "It is not used beside pds_client_id.", serious=False)


def _place_problems(settings: Settings) -> Iterator[Problem]:
    if settings.database_url is None:
        yield Problem(
            "database_url", "SQLite serves one machine; use PostgreSQL for more.", serious=False
        )
    elif not settings.database_url.startswith(_DATABASES):
        yield Problem(
            "database_url", f"It must begin with one of {', '.join(_DATABASES)}.", serious=True
        )
    keys = (("signing_keys", key) for key in settings.signing_keys)
    for name, file in (*keys, ("profiles", settings.profiles)):
        if file is not None and not file.exists():
            yield Problem(name, f"{file} is not there.", serious=True)
    for name in ("questionnaires", "mappings"):
        folder = getattr(settings, name)
        if folder is not None and not folder.is_dir():
            yield Problem(name, f"{folder} is not a folder.", serious=True)
