#!/bin/bash
# Makes the man pages and looks at them. Usage: man_test.sh SOURCE_ROOT SIGNET
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bash "$1/tools/man.sh" "$2" "$folder"
verbs=$("$2" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*$/\1/p')
for verb in $verbs; do
  page=$folder/signet-$verb.1
  if [ "$verb" = train ] && ! "$2" train --help >/dev/null 2>&1; then continue; fi  # a build without training
  [ -s "$page" ] || { echo "no page for signet $verb"; exit 1; }
  grep -q '^\.SH NAME' "$page" && grep -q -- '\\-\\-help' "$page" || { echo "$page is no page of signet $verb:"; head "$page"; exit 1; }
done
[ -n "$verbs" ] && [ -s "$folder/signet.1" ]
if command -v man >/dev/null; then
  problems=$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l "$folder"/*.1 2>&1 >/dev/null)
  [ -z "$problems" ] || { echo "$problems"; exit 1; }
fi
