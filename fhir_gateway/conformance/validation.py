"""validateProfileId: whether content conforms to a profile.

By the checks of `fhir/`: R4's structure, and of profiles at hand cardinality, fixed values,
bindings, slices and extensions. Invariants are not checked, and a pass says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.fhir import check, path
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

_BASE = "http://hl7.org/fhir/StructureDefinition/"
PASSED = "structure, cardinality, bindings and slices were checked; invariants were not"


def canonical(script: Resource, profile_id: str) -> str:
    """The canonical of a profile of the script. Raises ScriptError."""
    for index, one in enumerate(as_list(script.get("profile"))):
        if isinstance(one, dict) and one.get("id") == profile_id:
            return as_str(one.get("reference"))
        ids = as_list(script.get("_profile"))  # R5: a canonical, whose id is beside it
        own = as_dict(ids[index]).get("id") if index < len(ids) else None
        if own == profile_id and isinstance(one, str):
            return one
    raise ScriptError(f"there is no profile '{profile_id}'")


def problems(resource: Resource, profile: str, at_hand: Sequence[Profiles]) -> list[str]:
    """What is wrong by R4 and by a profile. Raises NotSupported when the profile is not at hand."""
    found = _errors(check.problems(resource))
    for profiles in at_hand:
        issues = profiles.problems(resource, [profile])
        if not any(_is_missing(one, profile) for one in issues):
            return found + _errors(issues)
    bare = profile.split("|")[0]
    wanted = bare.removeprefix(_BASE)
    abstract = wanted in ("Resource", "DomainResource")
    if wanted != bare and (abstract or path.is_resource_type(wanted)):
        wrong = not abstract and wanted != resource.get("resourceType")
        return found + ([f"it is no {wanted}"] if wrong else [])
    raise NotSupported(f"the profile {profile[:200]} is not at hand: name it with --profiles")


def _is_missing(issue: Element, profile: str) -> bool:
    return issue.get("code") == "not-found" and f"profile {profile} is not" in as_str(
        issue.get("diagnostics")
    )


def _errors(issues: list[Element]) -> list[str]:
    return [
        as_str(one.get("diagnostics"))
        for one in issues
        if one.get("severity") in ("error", "fatal")
    ]
