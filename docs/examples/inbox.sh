#!/usr/bin/env bash
# An inbox in curl and jq: create a request, find its Task, say how far it is, read it again.
#   FHIR_BASE   base of the API, such as http://127.0.0.1:8080/fhir/R4
#   TOKEN       an access token (fhir-gateway client token --demo --data-dir DIR)
set -euo pipefail
: "${FHIR_BASE:?}" "${TOKEN:?}"
here="$(cd "$(dirname "$0")" && pwd)"

fhir() { # METHOD PATH [curl options…]
  local method="$1" path="$2"
  shift 2
  curl --silent --show-error --fail-with-body --request "$method" "$FHIR_BASE/$path" \
    --header "Authorization: Bearer $TOKEN" --header "Accept: application/fhir+json" "$@"
}

# The identifier is yours: sending the same again creates nothing twice.
number="inbox-sh-$$-$RANDOM"
created="$(jq --arg number "$number" \
  '.identifier = {system: "https://portal.example/requests", value: $number}' "$here/response.json" |
  fhir POST QuestionnaireResponse --data-binary @- --header "Content-Type: application/fhir+json")"
reference="$(jq -r '.extension[] | select(.url | endswith("/response-reference")) | .valueIdentifier.value' \
  <<<"$created")"
echo "created: reference $reference"

task="$(fhir GET "Task?identifier=https://w3id.org/fhir-gateway/Id/reference|$reference" |
  jq '.entry[0].resource')"
id="$(jq -r .id <<<"$task")"
echo "task $id is $(jq -r .status <<<"$task")"

# Based on the version that was read: who comes second is told so (412), and nothing is lost. While the
# gateway itself delivers it, a Task can change under your hands: read it again then.
for _ in 1 2 3 4 5; do
  version="$(fhir GET "Task/$id" | jq -r .meta.versionId)"
  if changed="$(fhir PATCH "Task/$id" --header "Content-Type: application/json-patch+json" \
    --header "If-Match: W/\"$version\"" \
    --data '[{"op": "replace", "path": "/status", "value": "in-progress"}]')"; then
    break
  fi
done
echo "task $id is $(jq -r .status <<<"$changed")"

next="Task?_count=2&_sort=-_lastUpdated"
pages=0
while [ -n "$next" ] && [ "$pages" -lt 3 ]; do
  page="$(fhir GET "$next")"
  pages=$((pages + 1))
  echo "page $pages: $(jq '[.entry[]? | select(.search.mode == "match")] | length' <<<"$page") tasks"
  next="$(jq -r '.link[] | select(.relation == "next") | .url' <<<"$page")"
  next="${next#"$FHIR_BASE/"}"
done
