"""One thing a page: how a Questionnaire is cut into pages (NHS service manual, question pages).

The rule, in order:
1. a group whose itemControl is `page` is one page with all that is in it;
2. so is a group that repeats: all its instances, with ways to add and remove one; and a group that
   is laid out as a whole (itemControl `list`, `grid`, `table`, `htable`, `gtable`, `atable`);
3. so is a group of related questions: two to four short ones (a line of text, a number, a date),
   all always enabled, such as the lines of an address, unless questionnaire-onePage says no;
4. any other group is a section: its children are cut by these same rules, and its text becomes
   the caption of its pages;
5. a question is a page of its own, with the questions below it;
6. what nobody can answer (display items, read-only questions) joins the page that follows it in its
   section, or, at its end, the page before;
7. items marked questionnaire-onCheckPage belong to the check-your-answers page; items whose
   itemControl is `header` or `footer` stand on every page of their section;
8. hidden items belong to no page.
The extension questionnaire-onePage on a group overrides rules 1 to 4. A page is shown while
anything on it is enabled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.response import Node

#: itemControl codes of groups that are laid out as a whole.
_WHOLE = frozenset("page list grid table htable gtable atable".split())
_SHORT = frozenset("string integer decimal date time quantity url".split())
_RELATED = range(2, 5)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the enabled instances on it, in order, and the section it belongs to."""

    name: str
    nodes: tuple[Node, ...]
    section: Item | None

    @property
    def is_display(self) -> bool:
        """Whether nothing on it can be answered and it is no group."""
        return all(_only_says(node.item) for node in self.nodes)

    @property
    def main(self) -> Node:
        """The question or group that the page is about; its first display when it has neither."""
        return next((n for n in self.nodes if not _only_says(n.item)), self.nodes[0])

    @property
    def questions(self) -> list[Node]:
        """The questions on it, in order, also those within its groups, enabled or not."""
        return [n for node in self.nodes for n in node.walk() if n.item.is_question]

    @property
    def stops(self) -> bool:
        """Whether reaching it ends the request (questionnaire-stop)."""
        return any(n.item.extension(ext.STOP) is True for node in self.nodes for n in node.walk())


def pages(enablement: Enablement) -> list[Page]:
    """The pages that the person should see now, in order."""
    return _cut(enablement.tree.roots, None, enablement)


def on_check_page(enablement: Enablement) -> list[Node]:
    """The enabled items that stand on the check-your-answers page."""
    return [
        node
        for node in enablement.tree.roots
        if node.item.extension(ext.ON_CHECK_PAGE) is True and enablement.is_enabled(node)
    ]


def _cut(nodes: list[Node], section: Item | None, enablement: Enablement) -> list[Page]:
    found: list[Page] = []
    for node in nodes:
        if _left_out(node, enablement):
            continue
        if node.item.type == "group" and node.item.repeats and _is_one_page(node.item):
            if found and found[-1].nodes[0].item is node.item:
                found[-1] = replace(found[-1], nodes=(*found[-1].nodes, node))
            else:
                found.append(Page(node.item.link_id, (node,), section))
        elif node.item.type == "group" and not _is_one_page(node.item):
            found.extend(_cut(node.children, node.item, enablement))
        else:
            found.append(Page(node.item.link_id, (node,), section))
    return _join_displays(found)


def _join_displays(pages: list[Page]) -> list[Page]:
    """Display items are no pages of their own where another page of the section can take them."""
    joined: list[Page] = []
    waiting: tuple[Node, ...] = ()
    for page in pages:
        if page.is_display:
            waiting += page.nodes
        else:
            joined.append(Page(page.name, waiting + page.nodes, page.section))
            waiting = ()
    if waiting and joined:
        last = joined.pop()
        joined.append(Page(last.name, last.nodes + waiting, last.section))
    elif waiting:
        joined.append(Page(waiting[0].item.link_id, waiting, pages[0].section))
    return joined


def _is_one_page(group: Item) -> bool:
    own = group.extension(ext.ONE_PAGE)
    if isinstance(own, bool):
        return own
    return group.control in _WHOLE or group.repeats or _is_related(group)


def _is_related(group: Item) -> bool:
    """Whether a group is a few short questions that belong together."""
    questions = [child for child in group.children if child.type != "display"]
    return len(questions) in _RELATED and all(
        child.type in _SHORT
        and not (child.repeats or child.hidden or child.read_only or child.children)
        and not (child.conditions or child.enable_expression)
        for child in questions
    )


def _only_says(item: Item) -> bool:
    return item.type == "display" or (item.is_question and item.read_only and not item.children)


def _left_out(node: Node, enablement: Enablement) -> bool:
    return (
        node.item.hidden
        or node.item.control in ("header", "footer")
        or node.item.extension(ext.ON_CHECK_PAGE) is True
        or not enablement.is_enabled(node)
    )
