#!/bin/bash
# Tests of tools/check-layers.sh and tools/check-size.sh themselves: in a small tree that is right, each planted offence must be found and
# named, and what only looks like an offence must not. Usage: tests/tools_test.sh ROOT
set -u
root=$(cd "$1" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

fresh() {  # a right tree of two rooms
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/{tools,src/low,src/high,src/learn,include/signet/low,include/signet/high}
  printf '# comment\nlow:\nhigh: low\nlearn: low\n' > "$tree/tools/layers.txt"
  printf '#pragma once\n#include <string>\n' > "$tree/include/signet/low/low.h"
  printf '#pragma once\n#include "signet/low/low.h"\n' > "$tree/include/signet/high/high.h"
  printf '#include "low/private.h"\n#include "signet/low/low.h"\n#include "signet/high/high.h"\n' > "$tree/src/high/high.cc"
  printf '#pragma once\n' > "$tree/src/low/private.h"
}
# found SCRIPT WORDS: the script must fail on the tree and say WORDS.
found() {
  local output status
  output=$("$root/tools/$1" "$tree" 2>&1)
  status=$?
  if [ $status -ne 1 ] || [[ $output != *"$2"* ]]; then
    echo "FAILED: $1 should have found '$2'; status $status, output: $output"
    failures=$((failures + 1))
  fi
  fresh
}
# clean SCRIPT WHAT: the script must accept the tree.
clean() {
  local output
  if ! output=$("$root/tools/$1" "$tree" 2>&1); then
    echo "FAILED: $1 should have accepted $2; output: $output"
    failures=$((failures + 1))
  fi
  fresh
}
plant() { printf '%b\n' "$2" >> "$tree/$1"; }

fresh
clean check-layers.sh "a right tree"
clean check-size.sh "a right tree"

# Edges between rooms.
plant src/low/a.cc '#include "signet/high/high.h"';             found check-layers.sh 'src/low/a.cc:1: room low may not include room high'
plant src/low/a.cc '\n  #  include "high/private.h"';           found check-layers.sh 'src/low/a.cc:2: room low may not include room high'
plant src/low/a.cc '#include <signet/high/high.h>';             found check-layers.sh 'room low may not include room high'
plant include/signet/low/a.h '#pragma once\n#include "signet/high/high.h"'; found check-layers.sh 'room low may not include room high'
plant include/signet/high/a.h '#pragma once\n#include "low/private.h"';     found check-layers.sh 'public header includes the private'
plant src/high/a.cc '#include "private.h"';                     found check-layers.sh 'not included by its full path'
plant src/high/a.cc '#include "apps/signet/command.h"';         found check-layers.sh 'belongs to no room'
mkdir "$tree/src/attic"; plant src/attic/a.cc 'int x;';         found check-layers.sh 'room attic is not in tools/layers.txt'
plant src/stray.cc 'int x;';                                    found check-layers.sh 'lies outside a room'
plant tools/layers.txt 'last: beyond';                          found check-layers.sh 'room last may not include beyond'
plant src/low/a_test.cc '#include "signet/high/high.h"';        found check-layers.sh 'room low may not include room high'
plant src/low/a.cc '// #include "signet/high/high.h"';          clean check-layers.sh "an include in a comment"
plant src/low/a_test.cc '#include "tests/support/make_data.h"'; clean check-layers.sh "a test that uses the tests' support"
plant src/low/a.cc '#include "tests/support/make_data.h"';      found check-layers.sh 'belongs to no room'

# Outside libraries.
plant src/high/a.cc '#include <torch/torch.h>';                 found check-layers.sh 'room high includes <torch/torch.h> of libtorch'
plant src/high/a.cc '#include "ATen/Parallel.h"';               found check-layers.sh 'of libtorch'
plant src/learn/a.cc '#include <torch/torch.h>';                clean check-layers.sh "libtorch in its room"
plant src/high/a.cc '#include <opencv2/core.hpp>';              found check-layers.sh 'of OpenCV'
plant src/high/a.cc '#include <sqlite3.h>';                     found check-layers.sh 'of SQLite'
for header in torch/torch.h opencv2/core.hpp sqlite3.h nlohmann/json.hpp Eigen/Core; do
  plant include/signet/high/a.h "#pragma once\n#include <$header>"; found check-layers.sh "a public header includes <$header>"
done

# Printing and ending.
for word in 'std::cout << 1;' 'std::cerr << 1;' 'printf("x");' 'std::fprintf(stderr, "x");' 'puts("x");' '#include <iostream>'; do
  plant src/low/a.cc "$word";                                   found check-layers.sh 'print'
done
for word in 'std::exit(1);' 'abort();' '_exit(0);' 'std::terminate();'; do
  plant src/low/a.cc "int f() { $word }";                       found check-layers.sh 'room low ends the program'
done
plant src/low/a_test.cc 'int f() { std::abort(); }';            clean check-layers.sh "a test that aborts"
plant src/low/a.cc '// printf("x");\n/* exit(1);\nabort(); */ int x; const char* t = "exit(1)"; int y = snprintf(); loop.exit(1); int at_exit(int);'
clean check-layers.sh "words in comments, strings and other names"
plant src/low/a.cc '/* a */ int x; /* b */ abort();';           found check-layers.sh 'ends the program'
plant src/low/b.h 'int x;';                                     found check-layers.sh 'without #pragma once'

# Sizes.
lines() { for ((i = 0; i < $1; i++)); do echo "$2"; done; }
lines 600 'int x;' > "$tree/src/low/a.cc";                      clean check-size.sh "600 lines"
lines 601 'int x;' > "$tree/src/low/a.cc";                      found check-size.sh 'src/low/a.cc:601: 601 lines; 600 are the most'
lines 800 'int x;' > "$tree/src/low/a_test.cc";                 clean check-size.sh "a test of 800 lines"
lines 801 'int x;' > "$tree/src/low/a_test.cc";                 found check-size.sh '800 are the most'
lines 601 'int x;' > "$tree/include/signet/low/a.h";            found check-size.sh '600 are the most'
body() { echo 'namespace signet {'; echo "$2"; lines "$1" '  x = "}"; // }'; echo '}'; echo '}  // namespace signet'; }
body 78 'int f(int x) {' > "$tree/src/low/a.cc";                clean check-size.sh "a function of 80 lines"
body 79 'int f(int x) {' > "$tree/src/low/a.cc";                found check-size.sh 'src/low/a.cc:2: a function of 81 lines'
body 79 'TEST(A, B) {' > "$tree/src/low/a_test.cc";             found check-size.sh 'a function of 81 lines'
body 79 'struct A {' > "$tree/src/low/a.cc";                    clean check-size.sh "a struct of 81 lines"
body 79 'constexpr int kTable[] = {' > "$tree/src/low/a.cc";    clean check-size.sh "a table of 81 lines"
body 79 'struct A { int f() const noexcept {' | sed '$i }' > "$tree/src/low/a.cc"; found check-size.sh 'a function of 81 lines'
{ echo 'const char* f() {'; echo '  return R"x('; lines 100 'p { color: red; }'; echo ')x"; }'; } > "$tree/src/low/a.cc"
clean check-size.sh "a long text in a raw string"

if [ $failures -ne 0 ]; then
  echo "$failures failures"
  exit 1
fi
echo "all offences found, nothing else"
