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
task = client.reference("Task", task.id).to_resource()
for _ in range(10):
    task["status"] = "in-progress"
    try:
        task.save()
        break
    except MultipleResourcesFound:  # so it calls 412: the gateway itself was first
        task = client.reference("Task", task.id).to_resource()
client.patch("Task", task.id, businessStatus={"text": "Waiting for results"})
try:
    client.reference("Task", "nowhere").to_resource()
    missing = "found"
except ResourceNotFound:
    missing = "not found"
task = client.reference("Task", task.id).to_resource()
task["status"] = "requested"
try:
    task.save()
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
