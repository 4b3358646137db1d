#!/bin/bash
# Checks the size budget. Usage: tools/check-size.sh [ROOT]
#   - a file has at most 600 lines (a test 800); aim at 100 for a header, 300 for a source
#   - a function has at most 80 lines, signature included, texts in raw strings not; aim at 30
# Prints one line an offence, the longest functions being found by counting braces outside strings and comments. Needs bash, find, sort and any awk.
set -eu
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$root"
folders=()
for folder in src include apps tests bench fuzz examples; do
  [ -d "$folder" ] && folders+=("$folder")
done
[ ${#folders[@]} -gt 0 ] || { echo "no sources in $root" >&2; exit 2; }

find "${folders[@]}" -type f \( -name '*.h' -o -name '*.cc' \) | LC_ALL=C sort | LC_ALL=C awk '
function offence(line, text) { printf "%s:%d: %s\n", file, line, text; bad = 1 }

# The statement before a brace begins a function: it has parentheses, is no type or namespace, and does not end like an expression that
# goes on (a list of values).
function begins_function(text) {
  if (text !~ /\(/ || text ~ /[=(,\[{?&|+<]$/ || text ~ /(^| )return$/) return 0
  if (text ~ /^(namespace|extern|class|struct|union|enum|typedef) /) return 0
  if (text ~ /^template *<[^(]*> *(class|struct|union) /) return 0
  return 1
}

# Feeds one character outside strings and comments to the brace counter.
function feed(c) {
  if (c == "{") {
    sub(/ +$/, "", statement)
    if (!function_depth && begins_function(statement)) { function_depth = depth + 1; raw_lines = 0; function_line = statement_line ? statement_line : number }
    depth++
    statement = ""; statement_line = 0
  } else if (c == "}") {
    if (function_depth && depth == function_depth) {
      length_now = number - function_line + 1 - raw_lines
      if (length_now > 80) offence(function_line, "a function of " length_now " lines; 80 are the most")
      function_depth = 0
    }
    depth--
    statement = ""; statement_line = 0
  } else if (c == ";") {
    statement = ""; statement_line = 0
  } else if (!(c == " " && statement == "")) {
    if (statement == "") statement_line = number
    if (length(statement) < 4000) statement = statement c
  }
}

# One line, character by character. State kept between lines: in_comment, raw (the end mark of a raw string).
function scan(line,    i, n, c, two, before) {
  n = length(line)
  for (i = 1; i <= n; i++) {
    c = substr(line, i, 1)
    if (raw != "") {
      if (substr(line, i, length(raw)) == raw) { i += length(raw) - 1; raw = "" }
      continue
    }
    two = substr(line, i, 2)
    if (in_comment) {
      if (two == "*/") { in_comment = 0; i++ }
      continue
    }
    if (two == "//") return
    if (two == "/*") { in_comment = 1; i++; continue }
    if (two == "R\"" && substr(line, i - 1, 1) !~ /[A-Za-z0-9_]/ && match(substr(line, i + 2), /^[^(]*\(/)) {
      raw = ")" substr(line, i + 2, RLENGTH - 1) "\""
      i += RLENGTH + 1
      feed("s")
      continue
    }
    before = i > 1 ? substr(line, i - 1, 1) : ""
    if (c == "\"" || (c == "\047" && before !~ /[A-Za-z0-9_]/)) {
      for (i++; i <= n && substr(line, i, 1) != c; i++) if (substr(line, i, 1) == "\\") i++
      feed("s")
      continue
    }
    feed(c)
  }
  if (statement != "") feed(" ")
}

function check_file(    line, most, continued) {
  number = 0; depth = 0; function_depth = 0; statement = ""; statement_line = 0; in_comment = 0; raw = ""; continued = 0
  while ((getline line < file) > 0) {
    number++
    if (raw == "" && (continued || (!in_comment && line ~ /^[ \t]*#/))) { continued = line ~ /\\$/; continue }
    if (raw != "") raw_lines++
    scan(line)
  }
  close(file)
  most = file ~ /_test\.cc$|^tests\// ? 800 : 600
  if (number > most) offence(most + 1, number " lines; " most " are the most")
}
{ file = $0; check_file() }
END { exit bad }
'
