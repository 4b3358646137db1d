#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace signet::reader {

// A file in a tree, wherever the tree is stored: folder and tar share the rules below, which is why they give the same data set.
struct TreeFile {
  std::string path;        // decides class, split and order: components separated by '/'
  std::string key;         // what users see; equals path except in a folder of tars
  std::size_t source = 0;  // the reader's own number of the file
};

struct TreeSample {
  std::size_t file = 0;     // index into the files given
  std::int32_t label = -1;  // -1: unlabelled
  std::uint32_t split = 0;  // index into Tree::splits where there are any
};

struct Tree {
  std::vector<TreeSample> samples;       // of the selected split, ordered by split, class name, rest of the path
  std::vector<std::string> class_names;  // of all splits, sorted bytewise
  std::vector<std::string> splits;       // all that there are
  std::string selected;                  // the one of them that was taken; empty: all
  std::size_t others = 0;                // files that are no pictures
  bool mixed = false;                    // pictures beside class folders: nothing is labelled there
};

// The rules, in this order (docs/data.md):
//  1. Files whose name does not end like a picture's, and hidden ones (a component that begins with '.', or "__MACOSX"), are left
//  out.
//  2. A single folder around everything is taken away, unless it is a split's folder or would leave pictures without a folder.
//  3. If the first component of every picture names a split, it is one.
//  4. What is left is class/rest; without any folder, the picture is unlabelled. Both kinds beside each other: nothing is
//  labelled.
// Throws kInvalidArgument where there is no picture, kNotFound for a split that is not there. `where` names the tree in messages.
Tree arrange_tree(const std::vector<TreeFile>& files, const std::string& split, const std::string& where);

// "folder, 70 pictures, 7 classes, 3 other files left out"
std::string describe_tree(const char* kind, const Tree& tree);

}  // namespace signet::reader
