#!/usr/bin/env bash
# Asks the whole API of a running shop with good and bad input made from its own description, and insists that every answer is as described:
# no fault of the server, no status, header or shape that the description does not name. What is checked stands in `schemathesis.toml`.
#
# The seed is fixed, so a failure comes again. A longer run: `EXAMPLES=300 SEED=7 tests/contract/run.sh`.
# More arguments are given to Schemathesis: `tests/contract/run.sh --include-operation-id create_cart`.
set -euo pipefail
cd "$(dirname "$0")/../.."

PROGRAM=${PROGRAM:-target/debug/tandem}
EXAMPLES=${EXAMPLES:-8}
SEED=${SEED:-1}

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

export TANDEM_SEEDED=$scratch/seeded
target/venv/bin/python tests/contract/seed.py "$address" "${setup_link##*token=}" "$TANDEM_SEEDED"
TANDEM_KEY=$(said "$TANDEM_SEEDED" key)
export TANDEM_KEY

export PYTHONDONTWRITEBYTECODE=1
failed=0
target/venv/bin/schemathesis --config-file tests/contract/schemathesis.toml run "$address/v1/openapi.json" \
  --seed "$SEED" --max-examples "$EXAMPLES" "$@" || failed=$?

# A key that was lost on the way would have made every later answer a 401, which is described and proves nothing.
if ! curl --silent --fail --output /dev/null --header "Authorization: Bearer $TANDEM_KEY" "$address/v1/markets"; then
  echo 'the key of the test does not work any more: what was asked last proves nothing' >&2
  failed=1
fi
if [ -s "$scratch/log" ]; then
  echo 'the shop logged:' >&2
  head -c 20000 "$scratch/log" >&2
  failed=1
fi
exit "$failed"
