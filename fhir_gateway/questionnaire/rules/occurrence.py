"""How often: required, single, minimum and maximum; and nothing in what is disabled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_gateway.fhir import path
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.options import value_of
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.rules.context import Checking

FINAL_STATUSES = frozenset({"completed", "amended"})


def check(
    siblings: Iterable[Node], checking: Checking, *, everything_asked: bool
) -> Iterator[Issue]:
    """Issues of one set of siblings (instances under the same parent).

    Before a response is final, what is missing is only a warning, and answers to disabled items
    are information (SDC 4.0, form validation). `everything_asked`: see validation.issues.
    """
    by_item: dict[tuple[int, int], list[Node]] = {}
    for node in siblings:
        by_item.setdefault((node.item.order, node.under_answer), []).append(node)
    for nodes in by_item.values():
        first = nodes[0]
        if not checking.enablement.is_enabled(first):
            yield from _disabled(nodes, final=checking.final)
            continue
        if len(nodes) > 1 or len(first.answers) > 1:
            yield from _single(nodes)
        yield from _missing(nodes, checking, everything_asked=everything_asked)
        if first.item.min_occurs is not None or first.item.max_occurs is not None:
            yield from _counts(nodes, final=checking.final)


def _disabled(nodes: list[Node], *, final: bool) -> Iterator[Issue]:
    for node in nodes:
        if node.present and any(n.answers for n in node.walk()):
            yield _issue(
                Code.DISABLED,
                node,
                "the item is not enabled but has an answer",
                severity="error" if final else "information",
            )


def _single(nodes: list[Node]) -> Iterator[Issue]:
    item = nodes[0].item
    if item.is_question and len(nodes) > 1:
        text = "several answers to a question stand in one item"
        if not item.repeats:
            text = "the item does not repeat but is there twice"
        yield _issue(Code.TOO_MANY_ITEMS, nodes[1], text)
    if item.repeats:
        return
    if len(nodes) > 1 and not item.is_question:
        yield _issue(Code.TOO_MANY_ITEMS, nodes[1], "the item does not repeat but is there twice")
    for node in nodes:
        if len(node.answers) > 1:
            yield _issue(Code.TOO_MANY_ANSWERS, node, "the item takes one answer only")


def _missing(nodes: list[Node], checking: Checking, *, everything_asked: bool) -> Iterator[Issue]:
    item = nodes[0].item
    if item.type == "display" or not (item.required or "_required" in item.raw):
        return
    for node in nodes:
        if not required(node, checking):
            continue
        severity = "error" if checking.final else "warning"
        if item.hidden or not _is_asked(node, everything_asked=everything_asked):
            # Nobody could have answered it, or it is part of a whole that is left out.
            severity = "warning" if item.hidden else "information"
        if item.is_question:
            if not any(map(_counts_as_answer, node.answers)):
                yield _issue(Code.REQUIRED, node, "an answer is required", severity=severity)
        elif not any(n.answers for n in node.walk()):
            if not _can_be_answered(node, checking):
                severity = "warning"
            yield _issue(
                Code.GROUP_REQUIRED,
                node,
                "something in this group is required",
                severity=severity,
                hl7="" if node.present else "Questionnaire_QR_Item_Missing",
            )


def _can_be_answered(group: Node, checking: Checking) -> bool:
    """Whether anything in a group is enabled and shown; if not, requiring it would block who fills
    in, with nothing to mend."""
    return any(
        node.item.is_question
        and not (node.item.read_only or _is_hidden(node))
        and checking.enablement.is_enabled(node)
        for node in group.walk()
    )


def _is_hidden(node: Node) -> bool:
    here: Node | None = node
    while here is not None:
        if here.item.hidden:
            return True
        here = here.parent
    return False


def required(node: Node, checking: Checking) -> bool:
    """Whether an instance is required now: `required`, or the expression on it."""
    expression = node.item.element_expression("required")
    if expression is None or not expression.is_path:
        return node.item.required
    try:
        return checking.scope.is_true(expression.text, at=node)
    except path.PathRefused:
        return node.item.required


def _is_asked(node: Node, *, everything_asked: bool) -> bool:
    """Whether the place of an instance is there: not below a question without an answer, nor in
    an optional group that is left out as a whole."""
    parent = node.parent
    while parent is not None:
        item = parent.item
        if item.is_question and not parent.answers:
            return False
        left_out = not item.is_question and not parent.present and not item.required
        if left_out and (item.repeats or not everything_asked):
            return False
        parent = parent.parent
    return True


def _counts_as_answer(answer: dict[str, object]) -> bool:
    return bool(value_of(answer)[0] or answer.get("item"))


def _counts(nodes: list[Node], *, final: bool) -> Iterator[Issue]:
    """min/maxOccurs: of instances for a group, of answers for a question; the limits included."""
    item = nodes[0].item
    low, high = item.min_occurs, item.max_occurs
    if item.is_question:
        counted = [(node, len(node.answers)) for node in nodes]
    else:
        counted = [(nodes[0], sum(1 for node in nodes if node.present))]
    for node, count in counted:
        # With nothing there at all, `required` speaks, not the minimum.
        if low is not None and 0 < count < low:
            yield _issue(
                Code.MIN_OCCURS,
                node,
                f"at least {low} are needed",
                severity="error" if final else "warning",
                limit=low,
            )
        if high is not None and count > high:
            yield _issue(Code.MAX_OCCURS, node, f"at most {high} are allowed", limit=high)


def _issue(
    code: Code,
    node: Node,
    text: str,
    *,
    severity: str = "error",
    limit: int | None = None,
    hl7: str = "",
) -> Issue:
    return Issue(
        code,
        severity,
        text,
        node.expression,
        node.item.link_id,
        node.address,
        {} if limit is None else {"limit": limit},
        hl7=hl7,
    )
