#!/usr/bin/env bash
# Sends what people did to a running shop with the libraries of Segment, RudderStack, PostHog and Jitsu as they come from their registries, those
# for pages in Chromium, and insists that every event is there once, on the right person, whatever came first.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/shop.sh

failed=0
timeout 180 node tests/conformance/conformance.mjs "$address" target/venv/bin/python || failed=$?
logged_nothing || failed=1
exit "$failed"
