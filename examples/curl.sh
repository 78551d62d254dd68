#!/usr/bin/env bash
# A conversation with nothing but curl: stream an answer, continue, answer anew, search, read, delete.
#   bash examples/curl.sh
# Prints the first answer as it streams, and everything else as JSON.
set -euo pipefail
URL=${TURNKEEPER_URL:-http://127.0.0.1:3001/v1}
HEADERS=$(mktemp)
trap 'rm -f "$HEADERS"' EXIT

call() { curl --silent --show-error --fail-with-body --no-buffer -D "$HEADERS" "$@"; echo; }
chat() { call "$URL/chat/completions" -H 'content-type: application/json' "$@"; }

echo '== Ask. The answer streams; a header says which conversation it started.'
chat -d '{"stream": true, "messages": [{"role": "user", "content": "Name a river in Norway."}]}'
ID=$(sed -n 's/^x-conversation-id: \([a-z0-9_]*\).*/\1/p' "$HEADERS")

echo "== Continue $ID: the server puts the history in front of the new message."
chat -d '{"conversation": "'"$ID"'", "messages": [{"role": "user", "content": "How long is it?"}]}'

echo '== Answer that anew: follow turn 1 again. When the new answer is there, turn 2 is superseded.'
chat -H 'x-parent-seq: 1' \
  -d '{"conversation": "'"$ID"'", "messages": [{"role": "user", "content": "How long is it?"}]}'

echo '== Find the conversation by words of it.'
call --get "$URL/conversations" --data-urlencode 'q=river norway'

echo '== Its turns, the superseded one included.'
call "$URL/conversations/$ID/turns?include=superseded"

echo '== Delete it, and all its turns.'
call -X DELETE "$URL/conversations/$ID"
