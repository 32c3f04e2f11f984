#!/usr/bin/env bash
set -euo pipefail
source "$LAMBDA_TASK_ROOT/${_HANDLER%.*}.sh"
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
headers=$(mktemp)
while true; do
  event=$(curl -sS -D "$headers" "$api/invocation/next")
  id=$(grep -i '^lambda-runtime-aws-request-id:' "$headers" | tr -d '[:space:]' | cut -d: -f2)
  if result=$("${_HANDLER##*.}" "$event"); then
    curl -sS -o /dev/null -d "$result" "$api/invocation/$id/response"
  else
    error="{\"errorType\": \"Handler.Failed\", \"errorMessage\": \"$result\"}"
    curl -sS -o /dev/null -d "$error" "$api/invocation/$id/error"
  fi
done
