"""The commonest steps of FHIRPath, done without the engine's general machinery.

A parsed expression is rewritten: chains, members, literals, variables, and where(linkId = '…')
become nodes of their own, which answer what the engine would (tests/fhir/test_path_fast.py compares
the two). Everything else stays the engine's. Measured: benchmarks/extract_goldens.py.
"""

from __future__ import annotations

import json
from typing import Any

from fhirpathpy.engine import do_eval
from fhirpathpy.engine.evaluators import evaluators, string_literal
from fhirpathpy.engine.nodes import FP_Quantity, ResourceNode
from fhirpathpy.engine.util import arraify

#: Parameters that are names of types, not expressions.
_TYPED = frozenset({"ofType", "is", "as"})
_WRAPPERS = frozenset({"TermExpression", "InvocationTerm", "LiteralTerm", "ParenthesizedTerm"})


def faster(node: Any) -> Any:
    """The tree with its common steps replaced; a new tree."""
    kind = node.get("type")
    children = node.get("children", [])
    if kind in _WRAPPERS and len(children) == 1:
        return faster(children[0])
    if kind == "StringLiteral":
        return {**node, "type": "fast:text", "value": string_literal({}, None, node)[0]}
    if kind == "ExternalConstantTerm":
        name = children[0]["children"][0]["text"].replace("`", "")
        return {"type": "fast:variable", "name": name.strip('"'), "original": node}
    if kind == "MemberInvocation":
        name = children[0]["text"].replace("`", "").strip('"')
        if name[:1] == name[:1].upper():
            return node  # a type's name, which filters by resourceType
        return {**node, "type": "fast:member", "name": name}
    if kind == "InvocationExpression":
        return {**node, "type": "fast:chain", "children": _chain(node)}
    if kind == "FunctionInvocation":
        return _function(node)
    if kind == "TypeExpression":
        return {**node, "children": [faster(children[0]), *children[1:]]}
    return {**node, "children": [faster(child) for child in children]} if children else node


def _chain(node: Any) -> list[Any]:
    """The steps of a.b.c, which the parser nests to the left."""
    steps: list[Any] = []
    pending = node
    while pending.get("type") == "InvocationExpression":
        first, *rest = pending["children"]
        steps[:0] = [faster(step) for step in rest]
        pending = first
        while pending.get("type") == "TermExpression" and len(pending.get("children", [])) == 1:
            inner = pending["children"][0]
            if inner.get("type") not in _WRAPPERS:
                break
            pending = inner
    return [faster(pending), *steps]


def _function(node: Any) -> Any:
    function = node["children"][0]
    name, *rest = function["children"]
    if name["text"] in _TYPED or not rest:
        return node
    parameters = rest[0]
    if name["text"] == "where" and len(parameters["children"]) == 1:
        wanted = _link_ids(parameters["children"][0])
        if wanted:
            return {**node, "type": "fast:link-ids", "values": frozenset(wanted), "original": node}
    inner = {**parameters, "children": [faster(child) for child in parameters["children"]]}
    if name["text"] == "repeat" and [c.get("type") for c in inner["children"]] == ["fast:member"]:
        member = inner["children"][0]
        return {**node, "type": "fast:repeat", "member": member, "original": node}
    return {**node, "children": [{**function, "children": [name, inner]}]}


def _link_ids(condition: Any) -> list[str]:
    """The texts of `linkId = 'a' or linkId = 'b' …`; [] for any other condition."""
    while condition.get("type") in _WRAPPERS and len(condition["children"]) == 1:
        condition = condition["children"][0]
    if condition.get("type") == "OrExpression":
        found = [_link_ids(child) for child in condition["children"]]
        return [text for texts in found for text in texts] if all(found) else []
    if condition.get("type") != "EqualityExpression" or condition["terminalNodeText"] != ["="]:
        return []
    left, right = (faster(child) for child in condition["children"])
    if left.get("type") == "fast:member" and left["name"] == "linkId":
        return [right["value"]] if right.get("type") == "fast:text" else []
    return []


def _eval_chain(state: Any, parent: Any, node: Any) -> Any:
    current = parent
    for step in node["children"]:
        current = do_eval(state, current, step)
    return list(current) if isinstance(current, list) else [current]


def _eval_text(state: Any, parent: Any, node: Any) -> list[str]:
    del state, parent
    return [node["value"]]


def _eval_variable(state: Any, parent: Any, node: Any) -> Any:
    value = state["vars"].get(node["name"])
    if value is None:
        # Unknown, which is an error, or empty: the engine knows.
        return evaluators["ExternalConstantTerm"](state, parent, node["original"])
    return value if isinstance(value, list) else [value]


def _eval_link_ids(state: Any, parent: Any, node: Any) -> Any:
    if not isinstance(parent, list):
        return []
    wanted = node["values"]
    found = []
    for each in parent:
        data = each.data if isinstance(each, ResourceNode) else each
        if not isinstance(data, dict):
            return do_eval(state, parent, node["original"])
        link_id = data.get("linkId")
        if "_linkId" in data or isinstance(link_id, list):
            return do_eval(state, parent, node["original"])
        if isinstance(link_id, str) and link_id in wanted:
            found.append(each)
    return found


def _eval_member(state: Any, parent: Any, node: Any) -> list[Any]:
    if not isinstance(parent, list):
        return []
    name, model = node["name"], state["model"]
    elsewhere, choice_types = model["pathsDefinedElsewhere"], model["choiceTypePaths"]
    types = model["path2Type"]
    found: list[Any] = []
    for each in parent:
        holder = each if isinstance(each, ResourceNode) else ResourceNode(each, None)
        data = holder.data
        if isinstance(data, FP_Quantity) or not isinstance(data, dict):
            found.extend(evaluators["MemberInvocation"](state, [each], node))
            continue
        path = f"{holder.path}.{name}" if holder.path else f"_.{name}"
        path = elsewhere.get(path, path)
        key, choice = _key(data, name, choice_types.get(path))
        path = "Extension" if key == "extension" else path + choice
        path = types.get(path, path)
        for part in (data.get(key), data.get(f"_{key}")):
            if isinstance(part, list):
                found.extend(_node(one, path) for one in part)
            elif part is not None:
                found.append(_node(part, path))
    return found


def _eval_repeat(state: Any, parent: Any, node: Any) -> list[Any]:
    """repeat() of a member, such as repeat(item). The engine leaves out what equals something that
    an earlier element gave, and writes each as JSON to find that out; here that is done only for
    those that are equal."""
    if not isinstance(parent, list):
        return []
    memo = state.get("memo")
    if memo is None or len(parent) != 1:
        return _repeated(state, parent, node)
    (start,) = parent
    data, path = (start.data, start.path) if isinstance(start, ResourceNode) else (start, None)
    key = id(data), path, node["member"]["name"]
    if key not in memo:
        found = _repeated(state, parent, node)
        # With the data itself, so that nothing else gets its id.
        memo[key] = data, found, state["$this"]
    _, found, state["$this"] = memo[key]
    return list(found)


def _repeated(state: Any, parent: list[Any], node: Any) -> list[Any]:
    seen: dict[Any, list[Any]] = {}
    found: list[Any] = []
    pending = list(parent)
    # The list grows while it is walked.
    for each in pending:
        state["$this"] = arraify(each)
        below = _eval_member(state, state["$this"], node["member"])
        if not all(isinstance(one, ResourceNode) for one in below):
            return list(arraify(do_eval(state, parent, node["original"])))
        fresh = [one for one in below if not _is_among(one, seen.get(_rough(one), ()))]
        for one in fresh:
            seen.setdefault(_rough(one), []).append(one)
        found += fresh
        pending += fresh
    return found


def _rough(node: Any) -> tuple[Any, ...]:
    """What nodes that are equal have in common."""
    data = node.data
    if not isinstance(data, dict):
        return node.path, None if isinstance(data, list) else data
    name = data.get("linkId")
    return node.path, len(data), name if isinstance(name, str) else ""


def _is_among(node: Any, others: Any) -> bool:
    """Whether the engine takes the node for one of the others."""
    return any(other.data == node.data and _text(other) == _text(node) for other in others)


def _text(node: Any) -> str:
    return json.dumps(node.data, sort_keys=True, default=str)


def _key(data: dict[str, Any], name: str, choices: list[str] | None) -> tuple[str, str]:
    """The property that a member's name means in this element, and the type of a choice."""
    for choice in choices or ():
        key = f"{name}{choice}"
        if data.get(key) is not None or data.get(f"_{key}") is not None:
            return key, choice
    # Of a choice that is not there, no property has the bare name.
    return (f"{name}[x]" if choices else name), ""


def _node(data: Any, path: str) -> Any:
    return data if isinstance(data, ResourceNode) else ResourceNode(data, path)


for _name, _evaluator in (
    ("fast:chain", _eval_chain),
    ("fast:text", _eval_text),
    ("fast:variable", _eval_variable),
    ("fast:link-ids", _eval_link_ids),
    ("fast:member", _eval_member),
    ("fast:repeat", _eval_repeat),
):
    evaluators[_name] = _evaluator
