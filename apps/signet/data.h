#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/signet/options.h"
#include "signet/dataset/dataset.h"
#include "signet/encode/model.h"

namespace signet::cli {

// --data, --format, --split and --max-megapixels, as every verb that reads images has them; --leave-out-copies and --compose
// where a data set is learned or measured (add_derived_to).
struct DataArguments {
  std::string path;
  std::string format = "auto";
  std::string split;
  std::uint64_t max_megapixels = 256;
  bool leave_out_copies = false;  // the train part without images that the test part holds too
  bool compose = false;           // images made of one to four each

  void add_to(Options& options, bool with_split = true, Need need = Need::kRequired);
  void add_derived_to(OptionSet& options);
  // Where the data has a training part and none was named, it is the one to learn from: the test part stays unseen. Says so,
  // beginning with `doing` ("training on"), unless quiet.
  void prefer_train_part(const char* doing, bool quiet);
  DatasetOptions dataset_options() const;
  // Of `split`. Throws kUsage for leave_out_copies where the data has no train and test part, or both of them were asked for.
  std::shared_ptr<const Dataset> open(const DecodeLimits* limits = nullptr) const;
};

// How pictures are decoded on their way into this model: a JPEG may be decoded smaller as long as enough is left. The same in
// every verb, so that a picture gets the same code everywhere.
DecodeLimits limits_for(const Preprocessing& preprocessing, const DataArguments& arguments);

// Reads and decodes one picture file.
Image read_picture(const std::string& path, const DecodeLimits& limits = {});

// Class name of a label; its number where it has no name; several joined by ';'; "-" where unknown.
std::string label_text(const std::vector<std::int32_t>& labels, const std::vector<std::string>& class_names);

// A label given on the command line: a class name, else its number. Throws Error{kNotFound} listing the classes.
std::int32_t parse_label(const std::string& text, const std::vector<std::string>& class_names);

// What the pixels were stored as, in words, by the names of up to 1,000 of the images.
struct PictureKind {
  std::string words;   // "pictures are JPEG files (compressed with loss)"
  bool lossy = false;  // all or some of them: a JPEG copy of a data set is not the data set
};
PictureKind picture_kind(const Dataset& data);

// Of images that `signet train` left out; `first`: why the first one was.
void warn_of_unreadable(std::size_t count, const std::string& first);

// What a verb writes.
enum class Output { kModel, kFeatures, kIndex, kPage, kPlan, kTable };

// Throws where write_file_atomically() could make no file at `path`, which `flag` gives: a folder is there, or its own folder is
// not there or cannot be written. For before long work, which would be lost with the file. Also where the file that is there is
// by its first bytes nothing of this kind: a mistyped name shall not cost a picture or a model.
void check_output_file(const char* flag, const std::string& path, Output kind);

// The same for a folder that is made where it is missing, with those on the way to it. Leaves nothing behind.
void check_output_folder(const char* flag, const std::string& path);

// The current folder in front of a relative path; . and .. and double slashes taken out.
std::string absolute_path(const std::string& path);

// What `find` (a key to an optional) knows by this key, or else, taking it for a path from the current folder, by the absolute
// one, which `key` then becomes.
template <typename Find>
auto find_key(const Find& find, std::string& key) {
  auto found = find(key);
  if (found) return found;
  std::string absolute = absolute_path(key);
  found = find(absolute);
  if (found) key = std::move(absolute);
  return found;
}

// Throws kNotFound where the model that `collection` remembers is not at `path` any more.
void require_model(const std::string& collection, const std::string& path);

}  // namespace signet::cli
