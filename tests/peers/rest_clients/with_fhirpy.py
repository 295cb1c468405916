"""fhirpy at work against the API; see README.md."""

# ruff: noqa: T201 - its output is what it saw
import json
import os
from pathlib import Path

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

REFERENCE = "https://w3id.org/fhir-gateway/Id/reference"
client = SyncFHIRClient(
    os.environ["FHIR_BASE"],
    authorization=f"Bearer {os.environ['TOKEN']}",
    extra_headers={"Accept": "application/fhir+json"},
)
response = client.resource(
    "QuestionnaireResponse", **json.loads(Path(os.environ["RESPONSE"]).read_text())
)
response.save()
reference = next(
    e["valueIdentifier"]["value"]
    for e in response["extension"]
    if e["url"].endswith("/response-reference")
)
tasks = client.resources("Task").search(identifier=f"{REFERENCE}|{reference}")
task = tasks.first()
count = tasks.count()
paged = len(list(client.resources("Task").limit(1)))


def update(status):
    """The Task with a new status. 412, which fhirpy takes for several matches, says that the
    gateway itself was first: again, then."""
    for _ in range(20):
        changed = client.reference("Task", task.id).to_resource()
        changed["status"] = status
        try:
            return changed.save()
        except MultipleResourcesFound:
            continue
    raise AssertionError("always second")


update("in-progress")
client.patch("Task", task.id, businessStatus={"text": "Waiting for results"})
try:
    client.reference("Task", "nowhere").to_resource()
    missing = "found"
except ResourceNotFound:
    missing = "not found"
try:
    update("requested")
    refused = ""
except OperationOutcome as error:
    refused = error.resource["issue"][0]["expression"][0]
print(
    json.dumps(
        {
            "reference": reference,
            "count": count,
            "paged": paged,
            "status": client.reference("Task", task.id).to_resource()["status"],
            "missing": missing,
            "refused": refused,
        }
    )
)
