"""A page of a Questionnaire, ready for its template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fhir_gateway.journey.flow import Flow, Step
from fhir_gateway.questionnaire.response import Address, Node
from fhir_gateway.web.components import Drawing, FieldError, Part
from fhir_gateway.web.components.drawing import FOOTER, HEADER
from fhir_gateway.web.components.labels import question_text
from fhir_gateway.web.components.targets import target
from fhir_gateway.web.fields import Sheet, is_shown
from fhir_gateway.web.words import ENGLISH, Words


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page ready for its template. `has_actions`: it has buttons beside Continue, so that Enter
    needs to be told which is meant; `has_files`: its form carries files."""

    title: str
    caption: str
    heading_in_field: bool
    parts: list[Part]
    errors: list[tuple[str, str]]
    has_actions: bool
    has_files: bool


def draw(
    flow: Flow,
    step: Step,
    sheet: Sheet,
    errors: Mapping[Address, FieldError],
    *,
    words: Words = ENGLISH,
    files: Callable[[str], str] = lambda url: url,
) -> Drawn:
    """A page of a Questionnaire as parts of the design system. One question alone carries the
    page's heading in its label or legend (NHS service manual, question pages)."""
    here = flow.step(step.kind, step.name) or step
    nodes: Sequence[Node] = here.page.nodes if here.page else ()
    main = here.page.main if here.page else None
    everything = [n for node in nodes for n in node.walk()]
    sources: dict[str, list[Node]] = {}
    for node in everything:
        sources.setdefault(node.item.link_id, []).append(node)
    drawing = Drawing(
        flow.definition,
        flow.enablement,
        flow.texts,
        sheet,
        errors,
        words=words,
        scope=flow.scope,
        sources=sources,
        files=files,
    )
    top, bottom = _around(flow, nodes, drawing)
    parts = [*top, *drawing.draw_all(nodes, main), *bottom]
    section = here.page.section if here.page else None
    by_address = {node.address: node for node in everything}
    macros = {part.macro for part in _all(parts)}
    return Drawn(
        title=question_text(drawing, main.item) if main else "",
        caption=flow.texts.text(section) if section else "",
        heading_in_field=main is not None and is_shown(main),
        parts=parts,
        errors=[
            (error.text, f"#{target(by_address[address], error)}")
            for address, error in errors.items()
            if address in by_address
        ],
        has_actions=bool(macros & {"action", "search", "files"}),
        has_files="files" in macros,
    )


def _around(flow: Flow, nodes: Sequence[Node], drawing: Drawing) -> tuple[list[Part], list[Part]]:
    """What stands at the top and the bottom of every page of a section (itemControl header and
    footer)."""
    above = {id(n.parent) if n.parent else None for n in nodes} | {None}
    top: list[Part] = []
    bottom: list[Part] = []
    for node in flow.tree.nodes():
        place = {HEADER: top, FOOTER: bottom}.get(node.item.control)
        if place is not None and (id(node.parent) if node.parent else None) in above:
            place.extend(drawing.draw(node, heading=False))
    return top, bottom


def _all(parts: Sequence[Part]) -> list[Part]:
    return [p for part in parts for p in (part, *_all(part.inner))]
