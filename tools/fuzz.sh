#!/bin/bash
# Builds the fuzz targets with clang and runs each for a while. Usage: tools/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]
# Inputs found stay in build/asan-ubsan/corpus/<target> and are the start of the next run; what breaks a target is kept in
# build/asan-ubsan/findings/<target>/ and ends the script with status 1 after all targets have run. To run one finding again:
#   build/asan-ubsan/fuzz/fuzz_<target> build/asan-ubsan/findings/<target>/crash-...
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: tools/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]; '$seconds' is no number of seconds" >&2; exit 2; }
[ $# -eq 0 ] || shift
build=build/asan-ubsan
cmake --preset asan-ubsan > /dev/null
cmake --build "$build" --target fuzz
rm -rf "$build/seeds"
"$build/fuzz/fuzz_seeds" "$build/seeds"
if [ $# -eq 0 ]; then
  for program in "$build"/fuzz/fuzz_*; do
    name=${program##*/fuzz_}
    [ "$name" = seeds ] || set -- "$@" "$name"
  done
fi

broken=()
for target in "$@"; do
  [ -x "$build/fuzz/fuzz_$target" ] || { echo "no fuzz target '$target'" >&2; exit 2; }
  bash tools/fuzz-one.sh "$build" "$target" "$seconds" || broken+=("$target")
done
[ ${#broken[@]} -eq 0 ] || { echo "findings in: ${broken[*]}"; exit 1; }
