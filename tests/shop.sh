# Sourced by tests that ask a running shop from outside: opens one with books of its own and something to sell, and closes it at the end.
# Gives `address`, `TANDEM_KEY`, which may do everything, and `TANDEM_SEEDED`, a file that says what there is.

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
export TANDEM_SEEDED=$scratch/seeded
target/venv/bin/python tests/contract/seed.py "$address" "${setup_link##*token=}" "$TANDEM_SEEDED"
TANDEM_KEY=$(said "$TANDEM_SEEDED" key)
export TANDEM_KEY

# The shop must not have had anything to complain of.
logged_nothing() {
  if [ -s "$scratch/log" ]; then
    echo 'the shop logged:' >&2
    head -c 20000 "$scratch/log" >&2
    return 1
  fi
}
