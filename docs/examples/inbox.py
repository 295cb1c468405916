"""An inbox in Python, with nothing but its standard library: create, find, update, page.

FHIR_BASE: base of the API; TOKEN: an access token (fhir-gateway client token --demo).
"""

# ruff: noqa: S310, T201 - a program that prints, and calls the address it is given
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

BASE, TOKEN = os.environ["FHIR_BASE"], os.environ["TOKEN"]
REFERENCE = "https://w3id.org/fhir-gateway/Id/reference"
CONFLICT = 412
MAX_PAGES = 3


def fhir(method, path, resource=None, **headers):
    """One call; the resource of the answer. Raises HTTPError, whose body is an OperationOutcome."""
    url = path if path.startswith(BASE) else f"{BASE}/{path}"
    body = json.dumps(resource).encode() if resource is not None else None
    named = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def create():
    """A request; its reference. The identifier is yours: the same again creates nothing twice."""
    response = json.loads((Path(__file__).parent / "response.json").read_text())
    identifier = {"system": "https://portal.example/requests", "value": str(uuid.uuid4())}
    created = fhir("POST", "QuestionnaireResponse", {**response, "identifier": identifier})
    (given,) = [e for e in created["extension"] if e["url"].endswith("/response-reference")]
    return given["valueIdentifier"]["value"]


def find(reference):
    """The Task of a request."""
    query = urllib.parse.urlencode({"identifier": f"{REFERENCE}|{reference}"})
    return fhir("GET", f"Task?{query}")["entry"][0]["resource"]


def take_up(task):
    """Say that it is being worked on. PUT goes by the version in meta: who comes second is told
    (412), reads again and tries again."""
    while True:
        changed = {**task, "status": "in-progress", "owner": {"display": "Nurse A"}}
        try:
            return fhir("PUT", f"Task/{task['id']}", changed)
        except urllib.error.HTTPError as error:
            if error.code != CONFLICT:
                raise
            task = fhir("GET", f"Task/{task['id']}")


def pages(path):
    """Page after page of a search."""
    while path:
        bundle = fhir("GET", path)
        yield [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]
        path = next((li["url"] for li in bundle["link"] if li["relation"] == "next"), None)


reference = create()
print(f"created: reference {reference}")
task = take_up(find(reference))
print(f"task {task['id']} is {task['status']}")
for number, tasks in enumerate(pages("Task?_count=2"), 1):
    print(f"page {number}: {len(tasks)} tasks")
    if number == MAX_PAGES:
        break
