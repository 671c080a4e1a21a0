#!/usr/bin/env bash
# Sends what people did to a running shop with the libraries of Segment, RudderStack, PostHog and Jitsu as they come from their registries, and
# insists that every event is there once, on the right person, whatever came first.
set -euo pipefail
cd "$(dirname "$0")/../.."

PROGRAM=${PROGRAM:-target/debug/tandem}

scratch=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

"$PROGRAM" serve --listen 127.0.0.1:0 --json --data "$scratch/shop" --log-filter error >"$scratch/said" 2>"$scratch/log" &
server=$!
for _ in $(seq 300); do
  [ -s "$scratch/said" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if ! [ -s "$scratch/said" ]; then
  echo 'the shop did not start:' >&2
  cat "$scratch/log" >&2
  exit 1
fi

said() { target/venv/bin/python -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$@"; }
address=$(said "$scratch/said" address)
setup_link=$(said "$scratch/said" setup_link)
export PYTHONDONTWRITEBYTECODE=1
target/venv/bin/python tests/contract/seed.py "$address" "${setup_link##*token=}" "$scratch/seeded"
TANDEM_KEY=$(said "$scratch/seeded" key)
export TANDEM_KEY

failed=0
timeout 180 node tests/conformance/conformance.mjs "$address" target/venv/bin/python || failed=$?
if [ -s "$scratch/log" ]; then
  echo 'the shop logged:' >&2
  head -c 20000 "$scratch/log" >&2
  failed=1
fi
exit "$failed"
