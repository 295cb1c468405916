"""A TestScript read from a file, as the engine sees it.

The resource stays plain JSON; what is wrong in it shows when it is used, or in `lint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.results import Requirement
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import exchange_xml
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extensions

#: Extensions of this project (conformance/README.md); of a whole script or of one test.
REQUIREMENT = f"{BASE}/StructureDefinition/testscript-requirement"
REQUIRES = f"{BASE}/StructureDefinition/testscript-requires"
CREDENTIALS = f"{BASE}/StructureDefinition/testscript-credentials"
TAG = f"{BASE}/StructureDefinition/testscript-tag"
#: How R5 elements are written in R4 (https://hl7.org/fhir/R4/versions.html#extensions).
STOP_ON_FAIL = (
    "http://hl7.org/fhir/5.0/StructureDefinition/"
    "extension-TestScript.setup.action.assert.stopTestOnFail"
)
MAX_FILE = 5_000_000


@dataclass(frozen=True)
class Script:
    """A TestScript. `folder`: where its file is; `root`: no fixture is read from outside it."""

    resource: Resource
    file: Path
    root: Path
    suite: str

    @property
    def folder(self) -> Path:
        """Where relative references to fixtures start."""
        return self.file.parent

    @property
    def name(self) -> str:
        """Its id, else the name of its file."""
        return as_str(self.resource.get("id")) or self.file.stem

    @property
    def title(self) -> str:
        """For people."""
        found = (as_str(self.resource.get(key)) for key in ("title", "name"))
        return next(filter(None, found), self.name)

    @property
    def tests(self) -> list[Element]:
        """Its tests."""
        return [as_dict(test) for test in as_list(self.resource.get("test"))]

    @property
    def destinations(self) -> list[int]:
        """The indexes of the servers that it declares."""
        found = (as_dict(one).get("index") for one in as_list(self.resource.get("destination")))
        return [index for index in found if isinstance(index, int)]

    def key(self, index: int) -> str:
        """The name of a test that stays the same between runs: suite/script/test."""
        test = self.tests[index]
        own = as_str(test.get("id")) or as_str(test.get("name")) or str(index + 1)
        return f"{self.suite}/{self.name}/{own}"

    def tags(self, test: Element) -> tuple[str, ...]:
        """The tags of a test: its own and its script's."""
        found = [_value(e) for part in (self.resource, test) for e in extensions(part, TAG)]
        return tuple(dict.fromkeys(filter(None, map(as_str, found))))

    def requires(self, test: Element | None) -> list[str]:
        """FHIRPath conditions on the target's CapabilityStatement: of the script, or of a test."""
        part = self.resource if test is None else test
        return [text for e in extensions(part, REQUIRES) if (text := as_str(_value(e)))]

    def about_credentials(self, test: Element | None) -> bool:
        """Whether the script, or a test, can only judge a target to which one identifies."""
        part = self.resource if test is None else test
        return any(_value(e) is True for e in extensions(part, CREDENTIALS))

    def requirements(self, test: Element) -> tuple[Requirement, ...]:
        """What a test checks: by its own extensions, else by its script's, else by the links of
        metadata.capability."""
        own = extensions(test, REQUIREMENT) or extensions(self.resource, REQUIREMENT)
        if own:
            return tuple(_requirement(e) for e in own)
        return tuple(_of_capabilities(as_dict(self.resource.get("metadata"))))


def actions(part: Any) -> list[Element]:
    """The actions of setup, a test or teardown."""
    return [as_dict(action) for action in as_list(as_dict(part).get("action"))]


def flag(element: Element, name: str, default: bool) -> bool:
    """A boolean, also where lenient reading of XML left it a text."""
    value = element.get(name, default)
    return value if isinstance(value, bool) else str(value).lower() == "true"


def stops(assertion: Element) -> bool:
    """Whether a failure ends the test: so in R4, unless R5's stopTestOnFail says no."""
    for extension in extensions(assertion, STOP_ON_FAIL):
        return _value(extension) is not False
    return flag(assertion, "stopTestOnFail", True)


def read_resource(file: Path) -> Resource:
    """A FHIR resource from a file in JSON or XML. Raises ScriptError."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ScriptError(f"{file} cannot be read: {error.strerror}") from None
    try:
        if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
            value: Any = exchange_xml.parse(data.removeprefix(b"\xef\xbb\xbf").lstrip())
        else:
            value = fhir_json.parse(data, max_bytes=MAX_FILE)
    except Refused as error:
        raise ScriptError(f"{file}: {error}") from None
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise ScriptError(f"{file} is not a FHIR resource.")
    return value


def read_script(file: Path, *, root: Path | None = None, suite: str = "") -> Script:
    """The TestScript of a file. Raises ScriptError."""
    resource = read_resource(file)
    if resource["resourceType"] != "TestScript":
        raise ScriptError(f"{file} is a {resource['resourceType'][:64]}, not a TestScript.")
    return Script(resource, file, root or file.parent, suite or file.parent.name)


def _value(extension: Element) -> Any:
    return next((v for k, v in extension.items() if k.startswith("value")), None)


def _requirement(extension: Element) -> Requirement:
    parts = {
        as_str(part.get("url")): as_str(_value(part))
        for part in map(as_dict, as_list(extension.get("extension")))
    }
    return Requirement(
        parts.get("specification", ""),
        parts.get("version", ""),
        parts.get("section", ""),
        parts.get("link", ""),
        parts.get("strength", ""),
        parts.get("text", ""),
    )


def _of_capabilities(metadata: Element) -> list[Requirement]:
    found = []
    for capability in map(as_dict, as_list(metadata.get("capability"))):
        text = as_str(capability.get("description"))
        for link in as_list(capability.get("link")):
            specification = "FHIR" if "hl7.org/fhir" in as_str(link) else ""
            found.append(Requirement(specification, link=as_str(link), text=text))
    return found
