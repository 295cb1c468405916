"""How often: required, single, minimum and maximum; and nothing in what is disabled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import Node

FINAL_STATUSES = frozenset({"completed", "amended"})


def check(siblings: Iterable[Node], enablement: Enablement, *, final: bool) -> Iterator[Issue]:
    """Issues of one set of siblings (instances under the same parent).

    `final`: whether the response is completed or amended. Before that, what is missing is only a
    warning, and answers to disabled items are information (SDC 4.0, form validation).
    """
    by_item: dict[tuple[int, int], list[Node]] = {}
    for node in siblings:
        by_item.setdefault((node.item.order, node.under_answer), []).append(node)
    for nodes in by_item.values():
        first = nodes[0]
        if not enablement.is_enabled(first):
            yield from _disabled(nodes, final=final)
            continue
        yield from _single(nodes)
        if not first.item.hidden:
            yield from _missing(nodes, final=final)
        yield from _counts(nodes, final=final)


def _disabled(nodes: list[Node], *, final: bool) -> Iterator[Issue]:
    for node in nodes:
        held = node.answers or any(n.answers for n in node.walk())
        if node.present and held:
            yield _issue(
                Code.DISABLED,
                node,
                "the item is not enabled but has an answer",
                severity="error" if final else "information",
            )


def _single(nodes: list[Node]) -> Iterator[Issue]:
    item = nodes[0].item
    if item.repeats:
        return
    if len(nodes) > 1:
        yield _issue(Code.TOO_MANY_ITEMS, nodes[1], "the item does not repeat but is there twice")
    for node in nodes:
        if len(node.answers) > 1:
            yield _issue(Code.TOO_MANY_ANSWERS, node, "the item takes one answer only")


def _missing(nodes: list[Node], *, final: bool) -> Iterator[Issue]:
    item = nodes[0].item
    if not item.required or item.type == "display":
        return
    severity = "error" if final else "warning"
    for node in nodes:
        if item.is_question:
            if not node.answers:
                yield _issue(Code.REQUIRED, node, "an answer is required", severity=severity)
        elif not any(n.answers for n in node.walk()):
            yield _issue(
                Code.GROUP_REQUIRED, node, "something in this group is required", severity=severity
            )


def _counts(nodes: list[Node], *, final: bool) -> Iterator[Issue]:
    """min/maxOccurs: of instances for a group, of answers for a question; the limits included."""
    item = nodes[0].item
    low, high = item.extension(ext.MIN_OCCURS), item.extension(ext.MAX_OCCURS)
    if low is None and high is None:
        return
    if item.is_question:
        counted = [(node, len(node.answers)) for node in nodes]
    else:
        counted = [(nodes[0], sum(1 for node in nodes if node.present))]
    for node, count in counted:
        # With nothing there at all, `required` speaks, not the minimum.
        if isinstance(low, int) and 0 < count < low:
            yield _issue(
                Code.MIN_OCCURS,
                node,
                f"at least {low} are needed",
                severity="error" if final else "warning",
                limit=low,
            )
        if isinstance(high, int) and count > high:
            yield _issue(Code.MAX_OCCURS, node, f"at most {high} are allowed", limit=high)


def _issue(
    code: Code, node: Node, text: str, *, severity: str = "error", limit: int | None = None
) -> Issue:
    return Issue(
        code,
        severity,
        text,
        node.expression,
        node.item.link_id,
        node.address,
        {} if limit is None else {"limit": limit},
    )
