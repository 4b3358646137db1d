#include "dataset/tree.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "dataset/readers.h"
#include "signet/base/error.h"

namespace signet::reader {
namespace {

struct Candidate {
  std::size_t file = 0;
  std::string_view rest;  // what is left of the path after the rules so far
  std::string split;
};

std::string_view first_component(std::string_view path) { return path.substr(0, path.find('/')); }

// Number of components, counted only up to 3.
int depth(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return 1;
  return path.find('/', slash + 1) == std::string_view::npos ? 2 : 3;
}

bool is_hidden(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.starts_with('.') || part == "__MACOSX") return true;
    begin = end + 1;
  }
  return false;
}

void unwrap(std::vector<Candidate>& pictures) {
  while (true) {
    const std::string_view wrapper = first_component(pictures.front().rest);
    if (canonical_split(std::string(wrapper))) return;
    const bool around_all = std::all_of(pictures.begin(), pictures.end(), [&](const Candidate& picture) {
      return depth(picture.rest) == 3 && first_component(picture.rest) == wrapper;
    });
    if (!around_all) return;
    for (Candidate& picture : pictures) picture.rest.remove_prefix(wrapper.size() + 1);
  }
}

void take_splits(std::vector<Candidate>& pictures) {
  std::map<std::string_view, std::string> splits;  // few names, many pictures
  for (const Candidate& picture : pictures) {
    if (depth(picture.rest) < 2) return;
    const std::string_view name = first_component(picture.rest);
    if (splits.contains(name)) continue;
    std::optional<std::string> split = canonical_split(std::string(name));
    if (!split) return;
    splits.emplace(name, std::move(*split));
  }
  for (Candidate& picture : pictures) {
    const std::string_view name = first_component(picture.rest);
    picture.split = splits.at(name);
    picture.rest.remove_prefix(name.size() + 1);
  }
}

// Per split: whether pictures with and without a class folder lie beside each other.
struct Kinds {
  bool classed = false, loose = false;
};

std::vector<Candidate> pictures_of(const std::vector<TreeFile>& files, std::size_t& others) {
  std::vector<Candidate> pictures;
  pictures.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (has_picture_name(files[i].path) && !is_hidden(files[i].path)) {
      pictures.push_back({i, files[i].path, {}});
    } else if (!is_hidden(files[i].path)) {
      ++others;
    }
  }
  return pictures;
}

}  // namespace

Tree arrange_tree(const std::vector<TreeFile>& files, const std::string& split, const std::string& where) {
  Tree tree;
  std::vector<Candidate> pictures = pictures_of(files, tree.others);
  if (pictures.empty()) {
    fail(ErrorCode::kInvalidArgument, where, ": holds no pictures (", counted(tree.others, "other file"),
         "); a folder a class with JPEG, PNG, WebP, TIFF, BMP or PNM files would be right");
  }
  unwrap(pictures);
  take_splits(pictures);

  std::map<std::string, Kinds> kinds;
  for (const Candidate& picture : pictures) {
    Kinds& kind = kinds[picture.split];
    (depth(picture.rest) > 1 ? kind.classed : kind.loose) = true;
  }
  for (const auto& [name, kind] : kinds) {
    if (!name.empty()) tree.splits.push_back(name);
    tree.mixed = tree.mixed || (kind.classed && kind.loose);
  }
  tree.splits = in_split_order(std::move(tree.splits));
  const auto labelled = [&](const Candidate& picture) { return !kinds.at(picture.split).loose; };

  std::map<std::string_view, std::int32_t> classes;
  for (const Candidate& picture : pictures) {
    if (labelled(picture)) classes.emplace(first_component(picture.rest), 0);
  }
  for (auto& [name, label] : classes) {
    label = static_cast<std::int32_t>(tree.class_names.size());
    tree.class_names.emplace_back(name);
  }

  tree.selected = select_split(where, tree.splits, split);
  std::map<std::string, std::size_t> ranks;
  for (std::size_t i = 0; i < tree.splits.size(); ++i) ranks[tree.splits[i]] = i;
  using Entry = std::tuple<std::size_t, std::int32_t, std::string_view, std::size_t>;  // split, class, rest, file
  std::vector<Entry> order;
  for (const Candidate& picture : pictures) {
    if (!tree.selected.empty() && picture.split != tree.selected) continue;
    const std::int32_t label = labelled(picture) ? classes.at(first_component(picture.rest)) : -1;
    order.emplace_back(ranks[picture.split], label, picture.rest, picture.file);
  }
  std::sort(order.begin(), order.end());
  tree.samples.reserve(order.size());
  for (const auto& [rank, label, rest, file] : order) tree.samples.push_back({file, label, static_cast<std::uint32_t>(rank)});
  return tree;
}

std::string describe_tree(const char* kind, const Tree& tree) {
  std::string text = concat(kind, ", ", counted(tree.samples.size(), "picture"));
  if (!tree.selected.empty()) text += concat(" of split ", tree.selected);
  text += tree.class_names.empty() ? ", unlabelled" : concat(", ", counted(tree.class_names.size(), "class"));
  if (tree.mixed) text += ", pictures beside folders and therefore without labels";
  if (tree.others > 0) text += concat(", ", counted(tree.others, "other file"), " left out");
  return text;
}

}  // namespace signet::reader
