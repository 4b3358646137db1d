#!/bin/bash
# Checks the rooms' rules on the sources themselves. Usage: tools/check-layers.sh [ROOT]
#   - a room includes only itself and the rooms that tools/layers.txt allows, by full path ("signet/base/error.h", "base/layout.h")
#   - each outside library stays in the rooms named in the table below, and out of public headers
#   - no room prints, exits or aborts (its tests may)
#   - every header begins with #pragma once
# Prints one line an offence, "file:line: what is wrong", and ends with status 1 if there is any. Needs bash, find, sort and any awk.
set -eu
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$root"
layers=tools/layers.txt
[ -f "$layers" ] || { echo "$layers is missing in $root" >&2; exit 2; }

{ find src include/signet -type f \( -name '*.h' -o -name '*.cc' \) 2>/dev/null || true; } | LC_ALL=C sort > "${TMPDIR:-/tmp}/signet-layers.$$"
trap 'rm -f "${TMPDIR:-/tmp}/signet-layers.$$"' EXIT

LC_ALL=C awk -v layers="$layers" '
function offence(text) { printf "%s:%d: %s\n", file, number, text; bad = 1 }

# Learns who may include whom. A room may only name rooms above it, so that the order of the file proves that there is no circle.
function read_layers(    line, n, part, i) {
  while ((getline line < layers) > 0) {
    layer_line++
    sub(/#.*/, "", line)
    if (line !~ /[^ \t]/) continue
    n = split(line, part, /[: \t]+/)
    known[part[1]] = 1
    allowed[part[1], part[1]] = 1
    for (i = 2; i <= n; i++) {
      if (part[i] == "") continue
      if (!(part[i] in known)) { file = layers; number = layer_line; offence("room " part[1] " may not include " part[i] ", which is not above it in this file") }
      allowed[part[1], part[i]] = 1
    }
  }
  if (layer_line == 0) { file = layers; number = 0; offence("no rooms") }
}

# Outside libraries: how their headers begin, and the rooms that may include them (in sources and private headers).
function library(name, pattern, rooms,    n, part, i) {
  library_pattern[name] = pattern
  n = split(rooms, part, " ")
  for (i = 1; i <= n; i++) library_room[name, part[i]] = 1
}

function check_include(header,    target, name, n, part) {
  for (name in library_pattern) {
    if (header !~ library_pattern[name]) continue
    if (public) offence("a public header includes <" header "> of " name)
    else if (!((name, room) in library_room)) offence("room " room " includes <" header "> of " name)
    return
  }
  if (header ~ /^(iostream|stdio\.h)$/ && !test) offence("room " room " includes <" header ">; rooms do not print")
  if (!quoted && header !~ /^signet\//) return
  if (test && header ~ /^tests\/support\//) return
  n = split(header, part, "/")
  target = part[1]
  if (part[1] == "signet") target = part[2]
  if (n == 1) offence("\"" header "\" is not included by its full path")
  else if (public && part[1] != "signet") offence("a public header includes the private \"" header "\"")
  else if (!(target in known)) offence("\"" header "\" belongs to no room of " layers)
  else if (!((room, target) in allowed)) offence("room " room " may not include room " target " (\"" header "\")")
}

# The line without comments and without the content of strings.
function code_of(line,    out, at) {
  gsub(/\\./, "", line)
  gsub(/"[^"]*"/, "\"\"", line)
  out = ""
  while (1) {
    if (in_comment) {
      at = index(line, "*/")
      if (at == 0) return out
      line = substr(line, at + 2)
      in_comment = 0
    }
    at = match(line, /\/\/|\/\*/)
    if (at == 0) return out line
    out = out substr(line, 1, at - 1)
    if (substr(line, at, 2) == "//") return out
    line = substr(line, at + 2)
    in_comment = 1
  }
}

function check_file(    line, header, code, pragma, n, part) {
  n = split(file, part, "/")
  public = part[1] == "include"
  room = public ? part[3] : part[2]
  test = file ~ /_test\.cc$|\/test_[^\/]*\.h$/
  in_comment = 0
  number = 0
  if (n < (public ? 4 : 3)) { offence("lies outside a room"); return }
  if (!(room in known)) offence("room " room " is not in " layers)
  while ((getline line < file) > 0) {
    number++
    code = code_of(line)
    if (code ~ /^#pragma once/) pragma = 1
    if (code ~ /^[ \t]*#[ \t]*include/ && match(line, /["<][^">]+[">]/)) {
      quoted = substr(line, RSTART, 1) == "\""
      check_include(substr(line, RSTART + 1, RLENGTH - 2))
      continue
    }
    if (test) continue
    if (code ~ /std::(cout|cerr|clog|wcout|wcerr)/) offence("room " room " prints: " line)
    if (match(code, /(^|[^A-Za-z0-9_.>])(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror)[ ]*\(/)) offence("room " room " prints: " line)
    if (match(code, /(^|[^A-Za-z0-9_.>])(exit|_exit|_Exit|quick_exit|abort|terminate)[ ]*\(/)) offence("room " room " ends the program: " line)
  }
  close(file)
  number = 1
  if (file ~ /\.h$/ && !pragma) offence("a header without #pragma once")
}

BEGIN {
  read_layers()
  library("libtorch", "^(torch|ATen|c10|caffe2)/", "learn")
  library("OpenCV", "^opencv2/", "image encode dedup")
  library("the picture codecs", "^(jpeglib\\.h|jerror\\.h|png\\.h|tiff(io)?\\.h|webp/)", "image")
  library("zlib", "^zlib\\.h$", "image dataset")
  library("OpenSSL", "^openssl/", "base serve")
  library("SQLite", "^sqlite3(ext)?\\.h$", "store")
  library("nlohmann-json", "^nlohmann/", "code encode store eval dedup learn serve dataset index baseline")
  library("Eigen", "^Eigen/", "baseline")
  library("oneDNN", "^(oneapi/dnnl/|dnnl)", "encode learn")
  library("ONNX", "^onnx/", "encode")
  library("protobuf", "^google/protobuf/", "encode")
  library("libmicrohttpd", "^microhttpd\\.h$", "serve")
  library("FAISS", "^faiss/", "")
  library("CLI11", "^CLI/", "")
}
{ file = $0; check_file() }
END { exit bad }
' "${TMPDIR:-/tmp}/signet-layers.$$"
