#!/usr/bin/env bash
# Prices random carts by the server's price engine and by the till's, and holds them equal, byte for byte.
# CARTS sets how many (10,000).
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/build-till-pricing
cargo build --locked -p pricing --example price
node tests/pricing/equal.mjs "${CARTS:-10000}"
