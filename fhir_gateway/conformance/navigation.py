"""navigationLinks: whether a Bundle's links let a client page through it.

https://hl7.org/fhir/R4/http.html#paging and https://hl7.org/fhir/R4/bundle.html#searchset: a
searchset or history has a `self` link, each link has an address on the same server, and one that
has more matches than it shows has a way on.
"""

from __future__ import annotations

from urllib.parse import urljoin

from fhir_gateway.conformance.http import origin
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

_WAYS_ON = frozenset({"next", "previous", "prev", "last", "first"})


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
    found = [] if links.get("self") else ["there is no link 'self'"]
    for relation, address in links.items():
        if not address:
            found.append(f"the link '{relation[:40]}' has no address")
        elif not _same_server(address, url):
            found.append(f"the link '{relation[:40]}' goes to another server")
    if _has_more(bundle) and not _WAYS_ON & links.keys():
        found.append("there are more matches than entries, and no link 'next'")
    return found


def _same_server(address: str, url: str) -> bool:
    try:
        return origin(urljoin(url, address)) == origin(url)
    except ValueError:
        return False


def _has_more(bundle: Resource) -> bool:
    entries = [as_dict(entry) for entry in as_list(bundle.get("entry"))]
    matches = [e for e in entries if as_dict(e.get("search")).get("mode") in (None, "match")]
    total = bundle.get("total")
    return isinstance(total, int) and bool(matches) and total > len(matches)
