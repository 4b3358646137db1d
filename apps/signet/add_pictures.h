#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "apps/signet/data.h"
#include "signet/encode/encoder.h"
#include "signet/store/collection_writer.h"

namespace signet::cli {

struct AddArguments {
  DataArguments data;
  std::size_t threads = 0;
  std::size_t batch = 4096;
  bool no_labels = false, relabel = false, rehash = false, prune = false, quiet = false;
};

struct AddSummary {
  std::size_t added = 0, changed = 0, unchanged = 0;
  std::size_t relabelled = 0;                                // of the unchanged: the data gives them other labels than before
  std::vector<std::pair<std::string, std::string>> skipped;  // key (or the data, for a folder left out of it), reason
  std::size_t removed = 0;                                   // with `prune`: images whose pictures are not in the folder any more
  std::size_t gone = 0;                                      // the same without it: they are still in the collection
  double images_per_second = 0;
  std::string bottleneck;
};

// Brings a collection up to date with a data set: pictures it does not know and pictures whose file changed are encoded and
// committed batch by batch. A file is unchanged where its size and modification time are, or else its SHA-256. Where the data
// gives an image no label, or with `no_labels`, it keeps its own; one of an unchanged file gets labels where it has none, and
// others than its own with `relabel` alone. Keys are absolute paths ("/photos/cat/1.jpg", "/data/photos.tar/cat/1.jpg"), so that
// it does not matter from where one calls. An image whose key lies below the folder that was added, and whose file is not there
// any more, is removed with `prune`; never where the file only cannot be reached. Throws Error{kCancelled} when interrupted,
// after committing what was encoded.
AddSummary add_pictures(CollectionWriter& writer, const Encoder& encoder, const AddArguments& arguments);

}  // namespace signet::cli
