#!/bin/bash
# Runs one fuzz target that is built already. Usage: tools/fuzz-one.sh BUILD_FOLDER TARGET SECONDS
# Starts from BUILD_FOLDER/seeds/TARGET (made by fuzz_seeds) and what earlier runs have left in BUILD_FOLDER/corpus/TARGET. Prints one
# line; where something is found, status 1, and the input is kept in BUILD_FOLDER/findings/TARGET.
set -eu
build=$1 target=$2 seconds=$3
mkdir -p "$build/corpus/$target" "$build/findings/$target"
log=$build/$target.log
printf '%-20s' "$target"
# Half a gigabyte is far above what any input of 64 KiB justifies; so are 25 seconds, on a machine with other work as well. Without
# -print_funcs=0 libFuzzer would start a symbolizer for every new function and do little else in a short run.
if "$build/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=25 -rss_limit_mb=1024 -malloc_limit_mb=512 \
    -print_final_stats=1 -print_funcs=0 -artifact_prefix="$build/findings/$target/" "$build/corpus/$target" "$build/seeds/$target" \
    > "$log" 2>&1; then
  awk '/stat::number_of_executed_units/ { runs = $2 } / cov: / { cov = $0; sub(/.* cov: /, "", cov); sub(/ .*/, "", cov) }
       END { printf "%10d runs, %6d edges\n", runs, cov; exit runs == 0 }' "$log"
else
  echo "FINDING, see $log and $build/findings/$target/"
  grep -E -m 3 'ERROR:|runtime error|property violated|internal error|what\(\)' "$log" || tail -5 "$log"
  exit 1
fi
