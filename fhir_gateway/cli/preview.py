"""`questionnaire preview`: the pages of any Questionnaire file, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.terminal import plain_errors, say

if TYPE_CHECKING:
    from fhir_gateway.web.preview import Trial

_ZONE = "Europe/London"


def preview(
    files: Annotated[
        list[Path], typer.Argument(help="Questionnaires (JSON).", exists=True, dir_okay=False)
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = 8090,
    resources: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder or file of ValueSets, CodeSystems and modules that they need; may repeat.",
            exists=True,
        ),
    ] = None,
) -> None:
    """Serve the pages that patients would see, with the response and its validation beside them.

    Nothing is stored or sent, and no other machine is asked. Ends with Ctrl+C.
    """
    import uvicorn

    from fhir_gateway.cli.listening import bound_socket
    from fhir_gateway.web.preview import create_preview_app

    with plain_errors():
        trials = read_trials(files, resources or [])
        listening = bound_socket(port)
    say(f"The preview is at  http://127.0.0.1:{listening.getsockname()[1]}/")
    errors = sum(f.severity == "error" for trial in trials for f in trial.findings)
    if errors:
        say(f"Lint found {errors} error(s): patients would not get to see this; the page says why.")
    config = uvicorn.Config(create_preview_app(trials), log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])


def read_trials(files: list[Path], resources: list[Path]) -> list[Trial]:
    """Each file assembled, linted and ready to be tried, below a key of its own."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from fhir_gateway import shipped
    from fhir_gateway.cli.questionnaire import catalogue
    from fhir_gateway.questionnaire.assembly import assemble
    from fhir_gateway.questionnaire.definition import Definition
    from fhir_gateway.questionnaire.linting import lint
    from fhir_gateway.web.fields import SHOWN_TYPES
    from fhir_gateway.web.preview import Trial

    more = [
        f for path in resources for f in (sorted(path.glob("*.json")) if path.is_dir() else [path])
    ]
    registry = catalogue([*more, *files]).registry
    zone = ZoneInfo(_ZONE)
    trials = []
    for number, file in enumerate(files, 1):
        assembled = assemble(shipped.read_resource(file), registry.resolve)
        definition = Definition(assembled, registry)
        findings = lint(definition, shown_types=SHOWN_TYPES)
        trials.append(Trial(str(number), definition, lambda: datetime.now(zone), findings))
    return trials
