#!/bin/bash
# Tests of tools/build-page.sh with a node and an npm of straw: what it does where they are missing, too old, cut off from the registry,
# or where the page does not build. Usage: tests/build_page_test.sh ROOT
set -u
root=$(cd "$1" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# A page of one file, node of a version, and npm whose "ci" and "run" end with these statuses.
fresh() {  # fresh NODE CI RUN
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/web/src" "$tree/bin"
  : > "$tree/calls"
  touch -d '1 hour ago' "$tree/web/src/a.ts" "$tree/web/package-lock.json"
  printf '#!/bin/bash\n[ "$1" = -p ] && echo %s || echo v%s.0.0\n' "$1" "$1" > "$tree/bin/node"
  cat > "$tree/bin/npm" <<TEXT
#!/bin/bash
echo "\$1" >> "$tree/calls"
case \$1 in
  ci) [ $2 = 0 ] || { echo "npm ERR! network is unreachable"; exit $2; }; mkdir -p node_modules; touch node_modules/.package-lock.json ;;
  run) [ $3 = 0 ] || { echo "error in a.ts"; exit $3; }; mkdir -p dist; echo new > dist/index.html ;;
esac
TEXT
  chmod +x "$tree/bin/node" "$tree/bin/npm"
}
# expect STATUS WORDS CALLS [OPTION]: how it ends, what it says, what it calls of npm.
expect() {
  local output status calls
  output=$(PATH="$tree/bin:/usr/bin:/bin" bash "$root/tools/build-page.sh" ${4:+"$4"} "$tree" 2>&1)
  status=$?
  calls=$(tr '\n' ' ' < "$tree/calls" 2>/dev/null)
  if [ $status -ne "$1" ] || [[ $output != *"$2"* ]] || [ "$calls" != "$3" ] || { [ -z "$2" ] && [ -n "$output" ]; }; then
    echo "FAILED line ${BASH_LINENO[0]}: status $status, npm calls '$calls', output: $output"
    failures=$((failures + 1))
  fi
}
holds() { [ "$(cat "$tree/web/dist/index.html" 2>/dev/null)" = "$1" ] || { echo "FAILED line ${BASH_LINENO[0]}: the page is not '$1'"; failures=$((failures + 1)); }; }
old_page() { mkdir -p "$tree/web/dist"; echo old > "$tree/web/dist/index.html"; touch -d "$1" "$tree/web/dist/index.html"; }

fresh 18 0 0;                              expect 0 '' 'ci run ';             holds new
fresh 18 0 0; old_page now;                expect 0 '' '';                    holds old
fresh 18 0 0; old_page '2 hours ago';      expect 0 '' 'ci run ';             holds new
fresh 16 0 0; old_page '2 hours ago';      expect 0 'needs Node 18, and this is v16' '';            holds old
fresh 18 1 0; old_page '2 hours ago';      expect 0 'npm could not install its packages (npm ERR! network' 'ci '; holds old
fresh 18 0 1; old_page '2 hours ago';      expect 0 'npm run build failed' 'ci run '; holds old
fresh 18 1 0;                              expect 1 'npm could not install' 'ci ' --strict
fresh 18 0 0; rm "$tree/bin/npm"; printf '#!/bin/bash\nexit 127\n' > "$tree/bin/npm"; chmod +x "$tree/bin/npm"
expect 0 'npm could not install its packages (no reason given)' ''
fresh 18 0 0; expect 0 '' 'ci run '; touch -d '1 minute' "$tree/web/src";                 expect 0 '' 'ci run run '  # a source is gone
# What is installed stays until the lock file changes.
fresh 18 0 0; expect 0 '' 'ci run '; touch -d '1 minute' "$tree/web/src/a.ts";            expect 0 '' 'ci run run '
touch -d '2 minutes' "$tree/web/package-lock.json";                                       expect 0 '' 'ci run run ci run '

# Without node and npm at all: a PATH that holds only what the script itself needs.
fresh 18 0 0; rm "$tree"/bin/*
for tool in bash find mktemp rm grep dirname; do ln -s "$(command -v $tool)" "$tree/bin/$tool"; done
output=$(PATH="$tree/bin" bash "$root/tools/build-page.sh" "$tree" 2>&1)
status=$?
[ $status -eq 0 ] && [[ $output == *"node and npm are not installed"* ]] || { echo "FAILED without node: status $status, output: $output"; failures=$((failures + 1)); }

if [ $failures -ne 0 ]; then
  echo "$failures failures"
  exit 1
fi
echo "the page is built where it can be, and left alone elsewhere"
