#!/usr/bin/env bash
# The demo: from the images of the package dataset-fashion-mnist to a searched, measured index. Called by ./run demo.
#   tools/demo.sh BIN_FOLDER OUT_FOLDER
set -euo pipefail
bin=$1 out=$2 data=${SIGNET_DEMO_DATA:-/usr/share/datasets/fashion-mnist}
began=$SECONDS
step() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - began)) >&2; }
show() { printf '   signet %s\n' "$*" >&2; "$bin/signet" "$@"; }

mkdir -p "$out"
step "Train a network and its 12-bit hash function together"
# 12 passes, two less than the default: training is to take five minutes at most on two cores.
show train --data "$data" --split train --bits 12 --seed 1 --epochs 12 --out "$out/model.onnx" --log "$out/training.jsonl"

step "Encode: 60,000 images as the database, 10,000 as queries"
show encode --model "$out/model.onnx" --data "$data" --split train --out "$out/database"
show encode --model "$out/model.onnx" --data "$data" --split test --out "$out/queries"

step "Build the index and search it with four pictures that the network has not seen"
show index --codes "$out/database" --out "$out/index.sig"
show export-images --data "$data" --split test --only 0,1,2,3 --out "$out/pictures"
show search --index "$out/index.sig" --model "$out/model.onnx" --image "$out"/pictures/*.png -k 5

step "Measure"
show eval --model "$out/model.onnx" --data "$data" --protocol fashion-full --protocol fashion-heldout \
  --log "$out/training.jsonl" --html "$out/report.html" --json >"$out/metrics.json"
"$bin/signet" eval --summary "$out/metrics.json"

step "Done"
cat <<TEXT

Open $out/report.html in a browser; the numbers are in $out/metrics.json.

Next, with your own pictures (a folder with one folder per class):
  $bin/signet train --data PICTURES --bits 32 --out mine.onnx
  $bin/signet add PICTURES --collection mine --model mine.onnx
  $bin/signet search --collection mine --model mine.onnx --image some.jpg
TEXT
