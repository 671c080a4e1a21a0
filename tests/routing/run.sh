#!/usr/bin/env bash
# Compares our router with HiGHS on the orders that `tandem bench routing` makes up: optimum, gap, time. Needs Python 3 and PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/routing-venv
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import highspy' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'highspy==1.15.*' 'numpy'
fi
cargo build --release --locked -p tandem
./target/release/tandem bench routing --write-routing target/routing.json
"$venv/bin/python" tests/routing/compare.py target/routing.json "${1:-120}"
