"""fhirclient at work against the API; see README.md."""

# ruff: noqa: T201 - its output is what it saw
import json
import os
from pathlib import Path

import requests
from fhirclient import client
from fhirclient.models.questionnaireresponse import QuestionnaireResponse
from fhirclient.models.task import Task
from fhirclient.server import FHIRNotFoundException

REFERENCE = "https://w3id.org/fhir-gateway/Id/reference"
smart = client.FHIRClient(settings={"app_id": "peer", "api_base": os.environ["FHIR_BASE"]})
server = smart.server
server.session.headers["Authorization"] = f"Bearer {os.environ['TOKEN']}"
served = {one.type for one in server.capabilityStatement.rest[0].resource}

response = QuestionnaireResponse(json.loads(Path(os.environ["RESPONSE"]).read_text()))
created = QuestionnaireResponse(response.create(server))
reference = next(
    e.valueIdentifier.value for e in created.extension if e.url.endswith("/response-reference")
)
search = Task.where({"identifier": f"{REFERENCE}|{reference}"})
(found,) = search.perform_resources(server)
count = search.perform(server).total
paged = sum(1 for _ in Task.where({"_count": "1"}).perform_resources_iter(server))
CONFLICT = 412


def update(status):
    """The Task with a new status. 412 says that the gateway itself was first: again, then."""
    for _ in range(20):
        task = Task.read(found.id, server)
        task.status = status
        try:
            return task.update(server)
        except requests.HTTPError as error:
            if error.response.status_code != CONFLICT:
                raise
    raise AssertionError("always second")


update("in-progress")
try:
    Task.read("nowhere", server)
    missing = "found"
except FHIRNotFoundException:
    missing = "not found"
refused = ""
try:
    update("requested")
except requests.HTTPError as error:
    refused = error.response.json()["issue"][0]["expression"][0]
print(
    json.dumps(
        {
            "reference": reference,
            "count": count,
            "paged": paged,
            "status": Task.read(found.id, server).status,
            "missing": missing,
            "refused": refused,
            "served": "Task" in served,
        }
    )
)
