"""The template environment of all pages: NHS design system macros, autoescaping, own assets.

Nothing in it knows a patient, a Questionnaire or a linkId; the sandbox's pages use it too.
"""

from __future__ import annotations

from pathlib import Path

import jinja2
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from fhir_gateway.web.words import ENGLISH

_HERE = Path(__file__).parent
_FRONTEND = _HERE / "static" / "nhsuk"


def frontend_version() -> str:
    """Version of the nhsuk-frontend assets that the build put in place, such as `10.6.1`.

    Raises FileNotFoundError with advice when the package was not built.
    """
    try:
        return (_FRONTEND / "VERSION").read_text().strip()
    except FileNotFoundError:
        raise FileNotFoundError(
            "The NHS front-end assets are missing. Run script/bootstrap, or install the wheel."
        ) from None


def assets_path() -> str:
    """Where pages find the assets; the version is part of it, so they can be cached for good."""
    return f"/assets/nhsuk-{frontend_version()}"


def mount_assets(app: FastAPI) -> None:
    """Serve the assets from this package: no page loads anything from another host."""
    app.mount(assets_path(), StaticFiles(directory=_FRONTEND), name="nhsuk")
    app.mount("/assets/gateway", StaticFiles(directory=_HERE / "static" / "gateway"), name="own")


def create_environment(*template_folders: Path) -> jinja2.Environment:
    """A Jinja environment over `template_folders` and the pages' own templates.

    Undefined values are chainable, as nhsuk-frontend-jinja asks; all output is escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.FileSystemLoader([*template_folders, _HERE / "templates"]),
                jinja2.PackageLoader("nhsuk_frontend_jinja"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = ENGLISH
    environment.globals["assetPath"] = assets_path()
    return environment
