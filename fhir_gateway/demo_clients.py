"""The demo's own clients of its FHIR API: a portal of the demo's provider, and an administrator.

Their private keys are in the demo's data folder, so that whoever may read it can get tokens as any
client does.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from fhir_gateway.auth.assertion import ASSERTION_TYPE, client_assertion
from fhir_gateway.auth.keys import KeyRing, make_key_file, read_key_ring
from fhir_gateway.auth.scopes import ALL_SCOPES
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.rest.smart import TOKEN_PATH
from fhir_gateway.store.access_tables import ClientRow
from fhir_gateway.store.database import Transaction


@dataclass(frozen=True, slots=True)
class DemoClient:
    """One of them: its id, what people call it, the file of its key."""

    id: str
    name: str
    file: str
    admin: bool = False


PORTAL = DemoClient("demo-portal", "Demo portal", "demo-client-1.pem")
ADMIN = DemoClient("demo-admin", "Demo administrator", "demo-admin-1.pem", admin=True)


def register(tx: Transaction, data_dir: Path, ods_code: str, *, now: datetime) -> None:
    """Register both, with the keys in the data folder, which are made when they are not there."""
    for one in (PORTAL, ADMIN):
        row = tx.session.get(ClientRow, one.id) or ClientRow(id=one.id, created_at=now)
        row.name, row.admin = one.name, one.admin
        row.providers = "" if one.admin else ods_code
        row.scopes = str(ALL_SCOPES)
        row.jwks = json.dumps(_ring(data_dir, one).key_set())
        row.jwks_url, row.revoked_at = None, None
        tx.session.add(row)
    tx.session.flush()


def fetch_token(fhir_base: str, data_dir: Path, one: DemoClient) -> str:
    """A token of the demo whose API is at `fhir_base`, with the key in its data folder. Raises
    Refused, TryLater."""
    if not (data_dir / one.file).is_file():
        raise Refused(f"{data_dir} is not the data folder of a demo.", code="no-demo")
    token_url = f"{fhir_base}{TOKEN_PATH}"
    assertion = client_assertion(
        _ring(data_dir, one).signing,
        client_id=one.id,
        token_url=token_url,
        now=datetime.now(UTC),
        algorithm="RS384",
    )
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": str(ALL_SCOPES),
    }
    try:
        answer = httpx.post(token_url, data=form, timeout=30)
    except httpx.HTTPError as error:
        raise TryLater(
            f"The demo does not answer ({type(error).__name__}). Is it running?", code="no-demo"
        ) from None
    if not answer.is_success:
        raise Refused(f"The demo gave no token ({answer.status_code}).", code="no-token")
    return str(answer.json()["access_token"])


def token_command(data_dir: Path) -> str:
    """The command that prints a token of the portal."""
    folder = shlex.quote(str(data_dir))
    return f"{own_command()} client token --demo --data-dir {folder}"


def own_command() -> str:
    """How this program is called again: by name where a shell finds it, else by its path."""
    beside = Path(sys.executable).with_name("fhir-gateway")
    if shutil.which("fhir-gateway") or not beside.exists():
        return "fhir-gateway"
    return shlex.quote(str(beside))


def _ring(data_dir: Path, one: DemoClient) -> KeyRing:
    file = data_dir / one.file
    if not file.exists():
        make_key_file(file, bits=2048)
    return read_key_ring([file]).for_smart({file.stem})
