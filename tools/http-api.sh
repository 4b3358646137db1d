#!/bin/bash
# Writes docs/http-api.md anew (or, with --check, fails where it is not up to date).
# Usage: tools/http-api.sh SIGNET_HTTP_API [--check]
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { echo "usage: tools/http-api.sh SIGNET_HTTP_API [--check]" >&2; exit 2; }
if [ "${2:-}" = --check ]; then
  "$1" src/serve/openapi/openapi.json | diff -u docs/http-api.md - ||
    { echo "docs/http-api.md is not what src/serve/openapi/openapi.json says; tools/http-api.sh $1 writes it" >&2; exit 1; }
else
  "$1" src/serve/openapi/openapi.json > docs/http-api.md
fi
