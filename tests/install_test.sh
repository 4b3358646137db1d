#!/bin/bash
# Installs a finished build into an empty folder and builds and runs the example against that copy alone.
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
target_link_libraries(everything PRIVATE signet::store signet::encode signet::eval signet::dataset signet::index)
find_package(signet 0.1 COMPONENTS no_such_room)
if(signet_FOUND)
  message(FATAL_ERROR "a room that does not exist was found")
endif()
END
"$cmake" -S "$folder/embed" -B "$folder/all" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" \
         -DCMAKE_PREFIX_PATH="$folder/signet"
"$cmake" --build "$folder/all"
[ "$("$folder/all/everything")" = "$expected" ]
echo "$answer"
