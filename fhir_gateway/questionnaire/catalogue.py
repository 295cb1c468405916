"""All Questionnaires at hand, assembled and indexed once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.terminology import Expander
from fhir_gateway.fhir.types import Resource, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.assembly import assemble
from fhir_gateway.questionnaire.definition import Definition


class UnknownQuestionnaire(Refused):
    """No Questionnaire with this canonical is at hand."""

    def __init__(self, canonical: str) -> None:
        super().__init__(f"Questionnaire {canonical} is not known here", code="no-questionnaire")


class Catalogue:
    """Definitions by canonical, and the value sets and code systems they use.

    `expander`: asked for value sets that are not among the resources (a terminology server).
    """

    def __init__(self, resources: Iterable[Resource], expander: Expander | None = None) -> None:
        self.registry = Registry(resources)
        self._expander = expander
        self._definitions: dict[str, Definition] = {}
        self._published_later: Callable[[], Iterable[Resource]] = tuple

    def follow(self, published_later: Callable[[], Iterable[Resource]]) -> None:
        """Look there, too, for what is not at hand: by whichever process it was published."""
        self._published_later = published_later

    def publish(self, questionnaire: Resource) -> None:
        """Add a Questionnaire, or put it in the place of the same version."""
        self.registry.add(questionnaire)
        url = as_str(questionnaire.get("url"))
        for canonical in [c for c in list(self._definitions) if c.partition("|")[0] == url]:
            self._definitions.pop(canonical, None)

    def definition(self, canonical: str) -> Definition:
        """The assembled Questionnaire for `url` or `url|version`.

        Raises UnknownQuestionnaire, or NotAssembled when a module is missing.
        """
        known = self._definitions.get(canonical)
        if known is not None:
            return known
        questionnaire = self.registry.resolve(canonical)
        if questionnaire is None:
            for later in self._published_later():
                self.publish(later)
            questionnaire = self.registry.resolve(canonical)
        if questionnaire is None or questionnaire.get("resourceType") != "Questionnaire":
            raise UnknownQuestionnaire(canonical)
        assembled = assemble(questionnaire, self.registry.resolve)
        definition = Definition(assembled, self.registry, expander=self._expander)
        self._definitions[canonical] = definition
        return definition

    def questionnaires(self) -> Iterator[Resource]:
        """Every Questionnaire as it can be filled in: assembled. Modules are as written."""
        for questionnaire in self.registry.of_type("Questionnaire"):
            needs = as_str(extension_value(questionnaire, ext.ASSEMBLE_EXPECTATION))
            if needs.startswith("assemble-root"):
                url, version = as_str(questionnaire.get("url")), questionnaire.get("version")
                yield self.definition(f"{url}|{version}" if version else url).raw
            else:
                yield questionnaire
