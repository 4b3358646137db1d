#!/bin/bash
# Builds the fuzz targets with clang and runs each for a while. Usage: tools/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]
# Inputs found stay in build/fuzz/corpus/<target> and are the start of the next run; what breaks a target is kept in
# build/fuzz/findings/<target>/ and ends the script with status 1 after all targets have run. To run one finding again:
#   build/fuzz/fuzz/fuzz_<target> build/fuzz/findings/<target>/crash-...
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: tools/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]; '$seconds' is no number of seconds" >&2; exit 2; }
[ $# -eq 0 ] || shift
build=${SIGNET_FUZZ_BUILD:-build/fuzz}
cmake --preset fuzz -B "$build" > /dev/null
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
  mkdir -p "$build/corpus/$target" "$build/findings/$target"
  log=$build/$target.log
  printf '%-20s' "$target"
  # Half a gigabyte is far above what any input of 64 KiB justifies; ten seconds an input likewise.
  if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=512 -print_final_stats=1 \
      -artifact_prefix="$build/findings/$target/" "$build/corpus/$target" "$build/seeds/$target" > "$log" 2>&1; then
    awk '/stat::number_of_executed_units/ { runs = $2 } / cov: / { cov = $0; sub(/.* cov: /, "", cov); sub(/ .*/, "", cov) }
         END { printf "%10d runs, %6d edges\n", runs, cov }' "$log"
  else
    echo "FINDING, see $log and $build/findings/$target/"
    grep -E -m 3 'ERROR:|runtime error|property violated|internal error|what\(\)' "$log" || tail -5 "$log"
    broken+=("$target")
  fi
done
[ ${#broken[@]} -eq 0 ] || { echo "findings in: ${broken[*]}"; exit 1; }
