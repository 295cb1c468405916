"""What an EPR says that it can take, from its CapabilityStatement."""

from __future__ import annotations

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str


def system_interactions(statement: Resource) -> set[str]:
    """The system interactions it declares, such as `transaction` and `batch`."""
    return {
        as_str(as_dict(interaction).get("code"))
        for rest in map(as_dict, as_list(statement.get("rest")))
        if rest.get("mode") == "server"
        for interaction in as_list(rest.get("interaction"))
    }


def creatable(statement: Resource) -> set[str]:
    """The resource types that it lets others create."""
    return {
        as_str(resource.get("type"))
        for rest in map(as_dict, as_list(statement.get("rest")))
        if rest.get("mode") == "server"
        for resource in map(as_dict, as_list(rest.get("resource")))
        if "create"
        in {as_str(as_dict(i).get("code")) for i in as_list(resource.get("interaction"))}
    }


def missing(statement: Resource, needed: set[str]) -> list[str]:
    """What stands against posting a transaction of these resource types, each a sentence."""
    found = []
    if "transaction" not in system_interactions(statement):
        found.append("It does not declare the system interaction 'transaction'.")
    absent = sorted(needed - creatable(statement))
    if absent:
        found.append(f"It does not declare create for {', '.join(absent)}.")
    return found
