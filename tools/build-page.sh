#!/bin/bash
# Builds the page of `signet serve` (web/ -> web/dist) where its sources are newer. Usage: tools/build-page.sh [ROOT]
# Where that is not possible (no Node 18, no npm, no way to the npm registry) it says so in one sentence and leaves what was there: the
# program is built all the same, with the page that it finds. With --strict it fails instead.
set -u
strict=0
[ "${1:-}" != --strict ] || { strict=1; shift; }
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
web=$root/web
log=$(mktemp)
trap 'rm -f "$log"' EXIT

give_up() {
  printf 'the page of signet serve was not built: %s\n' "$*" >&2
  exit $strict
}
# newer FILE: some source of the page is newer than FILE, or one was added or removed since, or FILE is not there.
newer() {
  [ -f "$1" ] || return 0
  [ -n "$(find "$web" \( -name node_modules -o -name dist \) -prune -o \( -type f -o -type d -path "$web/src*" \) -newer "$1" -print -quit)" ]
}

newer "$web/dist/index.html" || exit 0
command -v node >/dev/null && command -v npm >/dev/null || give_up "node and npm are not installed (packages nodejs and npm)"
major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
[ "$major" -ge 18 ] 2>/dev/null || give_up "it needs Node 18, and this is $(node --version 2>/dev/null || echo unknown)"
cd "$web" || give_up "there is no folder $web"
# npm's own copy of the lock file says what is installed.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --fetch-retries 1 --fetch-timeout 60000 >"$log" 2>&1 || { rm -rf node_modules; give_up "npm could not install its packages ($(grep -m1 -E 'ERR!|error' "$log" || echo 'no reason given'))"; }
  touch node_modules/.package-lock.json
fi
npm run build >"$log" 2>&1 || { cat "$log" >&2; give_up "npm run build failed (its words are above)"; }
