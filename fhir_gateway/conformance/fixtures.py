"""The fixtures of a script: contained resources, and files beside it.

Nothing is fetched, and no file outside the suite's folder is read: a script from a stranger must
not send a tester's files to a server.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fhir_gateway.conformance import substitution
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.script import MAX_FILE, Script
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str

_TYPES = {".json": wire.JSON, ".xml": wire.XML}
_FOLDERS = ("", "fixtures", "resources", "_reference", "_reference/resources")


def raw(script: Script, fixture: Element) -> Content:
    """The content of a fixture as it is written, before substitution.

    Raises ScriptError when it is missing, NotSupported when it would have to be fetched.
    """
    reference = as_str(as_dict(fixture.get("resource")).get("reference"))
    name = as_str(fixture.get("id"))
    if not reference:
        raise ScriptError(f"the fixture '{name}' has no resource")
    if reference.startswith("#"):
        return _contained(script, name, reference[1:])
    file = locate(script, reference)
    try:
        body = file.read_bytes()
    except OSError as error:
        raise ScriptError(f"the fixture '{name}' cannot be read: {error.strerror}") from None
    if len(body) > MAX_FILE:
        raise ScriptError(f"the fixture '{name}' is larger than {MAX_FILE} bytes")
    return Content(body, _TYPES.get(file.suffix, "application/octet-stream"))


def locate(script: Script, reference: str) -> Path:
    """The file of a reference: a path from the script or the suite, or `Type/id` as `Type-id.json`
    there or in `fixtures/`. Raises ScriptError, NotSupported."""
    if "://" in reference or reference.startswith("urn:"):
        raise NotSupported(f"the fixture {reference[:200]} would have to be fetched: put it beside")
    if "\0" in reference or Path(reference).is_absolute():
        raise ScriptError(f"the fixture '{reference[:200]}' is not a path within the suite")
    for candidate in _candidates(script, reference):
        if _is_file(candidate):
            if not candidate.resolve().is_relative_to(script.root.resolve()):
                raise ScriptError(
                    f"the fixture '{reference[:200]}' is outside the suite's folder; "
                    "run the folder that holds both"
                )
            return candidate
    found = _by_content(script, reference)
    if found is None:
        raise ScriptError(f"the fixture '{reference[:200]}' is not there")
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the system takes
        return False


def _by_content(script: Script, reference: str) -> Path | None:
    """A file beside the script that holds the resource `Type/id`, whatever it is called; of those
    with the id in their name, as published examples have."""
    kind, _, identity = reference.partition("/")
    if not identity.isprintable() or not identity or "/" in identity or "*" in identity:
        return None
    for file in sorted(script.folder.iterdir()):
        if identity.lower() not in file.stem.lower() or file.suffix not in _TYPES:
            continue
        if not file.is_file() or file.is_symlink() or file.stat().st_size > MAX_FILE:
            continue
        resource = Content(file.read_bytes(), _TYPES[file.suffix]).resource or {}
        if resource.get("resourceType") == kind and resource.get("id") == identity:
            return file
    return None


def _candidates(script: Script, reference: str) -> list[Path]:
    names = [reference]
    kind, _, identity = reference.partition("/")
    if identity and "/" not in identity and "." not in identity:
        names += [
            f"{stem}{end}"
            for stem in (f"{kind}-{identity}", f"{kind.lower()}-{identity}", reference)
            for end in (".json", ".xml")
        ]
    places = dict.fromkeys([script.folder, script.root])
    return [place / sub / name for place in places for sub in _FOLDERS for name in names]


def _contained(script: Script, name: str, wanted: str) -> Content:
    for resource in map(as_dict, as_list(script.resource.get("contained"))):
        if resource.get("id") == wanted:
            return Content(fhir_json.dump(resource), wire.JSON, local_id=True)
    raise ScriptError(f"the fixture '{name}' names the contained '{wanted}', which is not there")


def filled(content: Content, resolve: substitution.Resolve) -> Content:
    """With the values of variables, escaped for the format. Raises ScriptError, NotSupported."""
    if b"${" not in content.body:
        return content
    try:
        text = content.body.decode()
    except UnicodeDecodeError:
        return content
    into = substitution.plain
    if content.media_type == wire.JSON:
        into = substitution.into_json
    elif content.media_type == wire.XML:
        into = substitution.into_xml
    return replace(content, body=into(text, resolve).encode())
