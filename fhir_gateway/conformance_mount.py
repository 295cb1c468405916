"""Composition: the page for conformance testing, where an operator has turned it on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp

from fhir_gateway import shipped
from fhir_gateway.settings import Settings


def conformance_pages(settings: Settings, clock: Callable[[], datetime]) -> dict[str, ASGIApp]:
    """The page by its path; nothing when there is no host that may be tested, or no token."""
    if not settings.conformance_targets or settings.ops_token is None:
        return {}
    from fhir_gateway.conformance_page.access import PATH
    from fhir_gateway.conformance_page.app import create_conformance_app
    from fhir_gateway.conformance_page.bench import Bench

    home, folder = shipped.folder("conformance"), settings.data_dir / "conformance"
    bench = Bench(home, folder, shipped.read_profiles)
    app = create_conformance_app(
        bench,
        settings.ops_token.get_secret_value(),
        settings.conformance_targets,
        clock,
        https=settings.base_url.startswith("https:"),
    )
    return {PATH: app}
