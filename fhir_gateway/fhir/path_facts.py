"""What an expression mentions, read from its parsed tree: for lint, without evaluating anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_gateway.fhir.path_parser import parse

_WRAPPERS = frozenset({"TermExpression", "InvocationTerm", "LiteralTerm", "ParenthesizedTerm"})


@dataclass(frozen=True, slots=True)
class Mention:
    """An item that an expression selects by its linkId, what follows in the chain (`answer`,
    `value`, `ofType(Coding)`), and the texts that the end of the chain is compared with."""

    link_id: str
    steps: tuple[str, ...]
    compared_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Variables, functions and items that an expression mentions."""

    variables: frozenset[str]
    functions: frozenset[str]
    mentions: tuple[Mention, ...]


def facts(expression: str) -> Facts:
    """What an expression mentions. Raises path_parser.PathSyntaxError."""
    tree = parse(expression)
    return Facts(
        variables=frozenset(_names(tree, "ExternalConstant")),
        functions=frozenset(_names(tree, "Functn")),
        mentions=tuple(_mentions(tree)),
    )


def _names(tree: Any, kind: str) -> Iterator[str]:
    for node in _walk(tree):
        if node.get("type") == kind:
            yield node["children"][0]["text"].strip("`")


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.get("children", []):
        yield from _walk(child)


def _mentions(node: Any) -> Iterator[Mention]:
    """The items of each chain; a chain that is compared with texts carries them."""
    node = _bare(node)
    if node.get("type") == "EqualityExpression":
        left, right = node["children"]
        texts = _texts(right)
        for mention in _mentions(left):
            yield Mention(mention.link_id, mention.steps, texts)
        yield from _mentions(right)
        return
    if node.get("type") == "InvocationExpression":
        yield from _of_chain(list(_chain(node)))
        return
    for child in node.get("children", []):
        yield from _mentions(child)


def _of_chain(steps: list[Any]) -> Iterator[Mention]:
    for position, step in enumerate(steps):
        for link_id in _link_ids(step):
            rest = tuple(_step(following) for following in steps[position + 1 :])
            yield Mention(link_id, rest)
        for child in step.get("children", []):
            # What is within the parentheses of a step, but for the choice of the item itself.
            if not _link_ids(step):
                yield from _mentions(child)


def _chain(node: Any) -> Iterator[Any]:
    node = _bare(node)
    if node.get("type") == "InvocationExpression":
        first, *rest = node["children"]
        yield from _chain(first)
        for step in rest:
            yield _bare(step)
    else:
        yield node


def _link_ids(step: Any) -> list[str]:
    """The linkIds in where(linkId = 'a' or …) or where(linkId = 'a' and …)."""
    if step.get("type") != "FunctionInvocation":
        return []
    function = step["children"][0]
    if function["children"][0]["text"] != "where" or len(function["children"]) == 1:
        return []
    found: list[str] = []
    for node in _walk(function["children"][1]):
        if node.get("type") == "EqualityExpression" and node["terminalNodeText"] == ["="]:
            left = _bare(node["children"][0])
            if left.get("type") == "MemberInvocation" and _step(left) == "linkId":
                found.extend(_texts(node["children"][1]))
    return found


def _step(node: Any) -> str:
    """A step as text: `answer`, `ofType(Coding)`, `first()`, `[0]`."""
    node = _bare(node)
    if node.get("type") == "MemberInvocation":
        return str(node["children"][0]["text"]).strip("`")
    if node.get("type") == "FunctionInvocation":
        name, *parameters = node["children"][0]["children"]
        inner = parameters[0]["children"][0].get("text", "") if parameters else ""
        return f"{name['text']}({inner})" if name["text"] == "ofType" else f"{name['text']}()"
    return ""


def _texts(node: Any) -> tuple[str, ...]:
    node = _bare(node)
    if node.get("type") == "StringLiteral":
        return (str(node["text"])[1:-1],)
    return ()


def _bare(node: Any) -> Any:
    while node.get("type") in _WRAPPERS and len(node.get("children", [])) == 1:
        node = node["children"][0]
    return node
