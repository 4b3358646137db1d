#!/bin/bash
# Installs a finished build into an empty folder and builds and runs the example against that copy alone, and search-pictures beside it.
# Usage: install_test.sh CMAKE BUILD_FOLDER EXAMPLE_FOLDER COMPILER GENERATOR [COMPILER_FLAGS]
set -eu
cmake=$1 build=$2 example=$3 compiler=$4 generator=$5 flags=${6:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$cmake" --install "$build" --prefix "$folder/signet" > "$folder/install.log" || { cat "$folder/install.log"; exit 1; }
# The copy must not lead back to the source or build tree.
if grep -rl --include='*.cmake' -e "$build" -e "$(dirname "$(dirname "$example")")" "$folder/signet"; then
  echo "the package files above name the folder that signet was built in"
  exit 1
fi
for header in base/error.h code/code_matrix.h index/index.h store/collection.h; do
  [ -f "$folder/signet/include/signet/$header" ] || { echo "$header is not installed"; exit 1; }
done
cp -r "$example" "$folder/embed"
"$cmake" -S "$folder/embed" -B "$folder/build" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" \
         -DCMAKE_PREFIX_PATH="$folder/signet"
"$cmake" --build "$folder/build"
answer=$("$folder/build/embed")
expected=$(sed -n 's/^.. Prints "\(.*\)": .*/\1/p' "$example/main.cc")
if [ -z "$expected" ] || [ "$answer" != "$expected" ]; then
  echo "the example printed '$answer' and its comment promises '$expected'"
  exit 1
fi
# Every room's target resolves: all packages are found and a program links against all of them.
cat > "$folder/embed/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(everything LANGUAGES CXX)
find_package(signet 0.1 REQUIRED)
add_executable(everything main.cc)
target_link_libraries(everything PRIVATE signet::serve signet::dedup signet::baseline signet::eval)  # the others are theirs
find_package(signet 0.1 COMPONENTS no_such_room)
if(signet_FOUND)
  message(FATAL_ERROR "a room that does not exist was found")
endif()
END
"$cmake" -S "$folder/embed" -B "$folder/all" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" \
         -DCMAKE_PREFIX_PATH="$folder/signet"
"$cmake" --build "$folder/all"
[ "$("$folder/all/everything")" = "$expected" ]

# A picture of a collection is found at distance 0, before the two others.
cp -r "$(dirname "$example")/search-pictures" "$folder/search"
"$cmake" -S "$folder/search" -B "$folder/search-build" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" \
         -DCMAKE_PREFIX_PATH="$folder/signet"
"$cmake" --build "$folder/search-build"
search=$folder/search-build/search-pictures
status=0
"$search" "$folder/none" "$folder/none.onnx" "$folder/none.pgm" 2> "$folder/refused" || status=$?
if [ $status -ne 3 ] || ! grep -q "^search-pictures: .*none.onnx" "$folder/refused"; then
  echo "search-pictures ended with $status and '$(cat "$folder/refused")' where there is no model"
  exit 1
fi
signet=$folder/signet/bin/signet
if [ -x "$signet" ]; then
  mkdir "$folder/pictures"
  for i in 1 2 3; do
    { echo "P2 16 16 255"; awk -v i=$i 'BEGIN { for (p = 0; p < 256; p++) print (p * p * i + 40 * i * p) % 251 }'; } > "$folder/pictures/$i.pgm"
  done
  "$signet" train --method phash --out "$folder/phash.onnx" --quiet
  "$signet" add "$folder/pictures" --collection "$folder/collection" --model "$folder/phash.onnx" --quiet
  found=$("$search" "$folder/collection" "$folder/phash.onnx" "$folder/pictures/2.pgm")
  if [ "$(echo "$found" | head -n 1)" != "0 $folder/pictures/2.pgm" ] || [ "$(echo "$found" | wc -l)" -ne 3 ]; then
    echo "search-pictures printed '$found'"
    exit 1
  fi
fi
echo "$answer"
