"""The pages: sign in, choose a suite and a server, watch, download."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_gateway.conformance_page import asked
from fhir_gateway.conformance_page.access import PATH, Access, dismiss, is_from_elsewhere
from fhir_gateway.conformance_page.bench import Bench
from fhir_gateway.errors import Refused
from fhir_gateway.web.environment import create_environment
from fhir_gateway.web.headers import BodyLimit, SecurityHeaders

_TEMPLATES = Path(__file__).parent / "templates"
_MAX_FORM = 50_000
#: Seconds that a wrong token costs whoever tries many.
_PAUSE = 1.0
#: A report runs its own script and nothing else, and as if it were of no site at all.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
)


def create_conformance_app(
    bench: Bench,
    token: str,
    targets: Collection[str],
    clock: Callable[[], datetime],
    *,
    https: bool,
) -> FastAPI:
    """The app that answers below /conformance. `targets`: hosts that may be tested."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    pages = _Pages(bench, Access(token, secure=https), targets, clock)
    app.get(PATH)(pages.home)
    app.post(f"{PATH}/sign-in")(pages.sign_in)
    app.post(f"{PATH}/sign-out")(pages.sign_out)
    app.post(f"{PATH}/runs")(pages.start)
    app.get(f"{PATH}/runs/{{run}}")(pages.run)
    app.get(f"{PATH}/runs/{{run}}/report.html")(pages.report)
    app.get(f"{PATH}/runs/{{run}}/reports.zip")(pages.archive)
    app.add_middleware(BodyLimit, max_bytes=_MAX_FORM, refuse=_too_large)
    app.add_middleware(SecurityHeaders, https=https)
    return app


def _too_large(*_: Any) -> Response:
    return HTMLResponse("The form is too large.", 413)


class _Pages:
    """The routes, with what they share."""

    def __init__(
        self, bench: Bench, access: Access, targets: Collection[str], clock: Callable[[], datetime]
    ) -> None:
        self._bench, self._access, self._targets = bench, access, targets
        self._clock = clock
        self._environment = create_environment(_TEMPLATES)

    def home(self, request: Request) -> Response:
        """The form and the runs so far; without a session, the sign-in."""
        if not self._may(request):
            return self._sign_in_page(request)
        return self._form(request, {})

    async def sign_in(self, request: Request) -> Response:
        """Sign in by the operators' token."""
        form = await request.form()
        if is_from_elsewhere(request) or not self._access.knows(str(form.get("token", ""))):
            await anyio.sleep(_PAUSE)
            return self._sign_in_page(request, "This is not the operators' token.", 403)
        response = RedirectResponse(PATH, 303)
        self._access.admit(response, self._clock())
        return response

    def sign_out(self) -> Response:
        """Sign out."""
        response = RedirectResponse(PATH, 303)
        dismiss(response)
        return response

    async def start(self, request: Request) -> Response:
        """Start a run."""
        if is_from_elsewhere(request) or not self._may(request):
            return self._sign_in_page(request, status=403)
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            names = [suite.name for suite in self._bench.suites()]
            wanted = asked.read(form, names, self._targets)
            run = self._bench.start(wanted)
        except Refused as error:
            return self._form(request, form, str(error), error.code)
        return RedirectResponse(f"{PATH}/runs/{run}", 303)

    def run(self, request: Request, run: str) -> Response:
        """How far a run is, or how it ended."""
        if not self._may(request):
            return self._sign_in_page(request, status=403)
        found = self._bench.find(run)
        if found is None:
            return self._page(request, "missing.jinja", "There is no such run", status=404)
        return self._page(request, "run.jinja", f"{found.suite}: {found.state}", progress=found)

    def report(self, request: Request, run: str) -> Response:
        """The HTML report."""
        content = self._bench.report(run) if self._may(request) else None
        if content is None:
            return self.run(request, run)
        headers = {"Content-Security-Policy": _REPORT_POLICY}
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    def archive(self, request: Request, run: str) -> Response:
        """All reports as a file."""
        content = self._bench.archive(run) if self._may(request) else None
        if content is None:
            return self.run(request, run)
        named = {"Content-Disposition": f'attachment; filename="conformance-{run}.zip"'}
        return Response(content, media_type="application/zip", headers=named)

    def _may(self, request: Request) -> bool:
        return self._access.allows(request, self._clock())

    def _form(
        self, request: Request, form: dict[str, str], error: str = "", field: str = ""
    ) -> Response:
        given = {name: value for name, value in form.items() if name != "token"}
        return self._page(
            request,
            "start.jinja",
            "Test a FHIR server",
            status=400 if error else 200,
            suites=self._bench.suites(),
            runs=self._bench.all(),
            targets=self._targets,
            given=given,
            error=error,
            field=field,
            has_errors=bool(error),
        )

    def _sign_in_page(self, request: Request, error: str = "", status: int = 200) -> Response:
        return self._page(
            request,
            "sign-in.jinja",
            "Conformance testing",
            status=status,
            error=error,
            has_errors=bool(error),
        )

    def _page(
        self, request: Request, template: str, title: str, *, status: int = 200, **values: Any
    ) -> Response:
        html = self._environment.get_template(template).render(
            csp_nonce=str(request.scope.get("state", {}).get("csp_nonce", "")),
            service_name="Conformance testing",
            title=title,
            **values,
        )
        return HTMLResponse(html, status)
