"""navigationLinks: whether a Bundle's links let a client page through it.

R4 says what the assert demands: "that the Bundle contains first, last, and next links"
(https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.assert.navigationLinks).
The last page, whose `self` is `last`, has nothing next. Each link has an address on the same
server (https://hl7.org/fhir/R4/http.html#paging).
"""

from __future__ import annotations

from urllib.parse import urljoin

from fhir_gateway.conformance.http import origin
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

_WANTED = ("first", "last", "next")


def problems(bundle: Resource, url: str) -> list[str]:
    """What is wrong with the links of a Bundle that was fetched from `url`."""
    if bundle.get("resourceType") != "Bundle":
        return ["the answer is not a Bundle"]
    if bundle.get("type") not in ("searchset", "history"):
        return ["the Bundle is no searchset and no history"]
    links = {
        as_str(link.get("relation")): as_str(link.get("url"))
        for link in map(as_dict, as_list(bundle.get("link")))
    }
    on_last = bool(links.get("last")) and links.get("self") == links.get("last")
    found = [
        f"there is no link '{relation}'"
        for relation in _WANTED
        if relation not in links and not (on_last and relation == "next")
    ]
    for relation, address in links.items():
        if not address:
            found.append(f"the link '{relation[:40]}' has no address")
        elif not _same_server(address, url):
            found.append(f"the link '{relation[:40]}' goes to another server")
    return found


def _same_server(address: str, url: str) -> bool:
    try:
        return origin(urljoin(url, address)) == origin(url)
    except ValueError:
        return False
