#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/add_pictures.h"
#include "apps/signet/picture_source.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/encode/encoder.h"
#include "signet/store/collection.h"
#include "signet/store/collection_writer.h"

namespace signet::cli {
namespace {

void check_data(const AddArguments& arguments) {
  const DataArguments& data = arguments.data;
  const DatasetOptions options = data.dataset_options();
  std::shared_ptr<const Dataset> opened;
  try {
    opened = open_dataset(data.path, options);
  } catch (const Error& error) {
    if (!arguments.prune) throw;
    fail(error.code(), error.what(), "; --prune removes nothing then, because the disk may only be missing");
  }
  if (arguments.prune && !PictureSource(opened, data.path, options.format).lists_folder())
    fail(ErrorCode::kUsage, "--prune needs a folder of pictures, and ", data.path, " is a file or holds other data");
}

struct Opened {
  std::unique_ptr<CollectionWriter> writer;
  Encoder encoder;
};

Opened open_or_create(const std::string& collection, const std::string& model, const AddArguments& arguments) {
  FileSystem& files = real_file_system();
  const EncoderOptions encoder_options{arguments.threads, "auto"};
  if (is_collection(files, collection)) {
    auto writer = CollectionWriter::open(files, collection);
    const CollectionInfo info = writer->info();
    if (info.model.empty()) {
      fail(ErrorCode::kMismatch, collection, " holds codes of ", info.bits,
           " bits that belong to no model, and a model's codes cannot be compared with them; signet collection import adds such "
           "codes, and pictures need a collection that was made with --model");
    }
    const std::string path = model.empty() ? info.model_path : model;
    if (path.empty()) fail(ErrorCode::kUsage, "--model FILE is needed: ", collection, " does not know where its model is");
    if (model.empty()) require_model(collection, path);
    Encoder encoder = Encoder::open(files, path, encoder_options);
    const std::string& mine = encoder.info().fingerprint;
    if (info.model != mine) {
      fail(ErrorCode::kMismatch, collection, " holds codes of model ", info.model, ", but ", path, " is model ", mine,
           "; signet migrate encodes a collection anew");
    }
    if (info.bits != encoder.info().bits) {
      fail(ErrorCode::kMismatch, collection, " holds codes of ", info.bits, " bits, but ", path, " makes codes of ",
           encoder.info().bits, "; name another collection, and signet add makes it for this model");
    }
    if (!model.empty()) writer->set_origin(absolute_path(model), info.root);  // it may have moved
    return {std::move(writer), std::move(encoder)};
  }
  if (model.empty())
    fail(ErrorCode::kUsage, collection, " is not a collection yet; --model FILE says which model a new one is for");
  Encoder encoder = Encoder::open(files, model, encoder_options);
  CreateOptions create;
  create.bits = encoder.info().bits;
  create.model = encoder.info().fingerprint;
  create.model_path = absolute_path(model);
  create.root = absolute_path(arguments.data.path);  // whose pictures `signet serve` may show
  auto writer = CollectionWriter::create(files, collection, create);
  note("add", concat("made the collection ", collection, " for codes of ", create.bits, " bits"));
  return {std::move(writer), std::move(encoder)};
}

void print_summary(const AddSummary& s, const CollectionInfo& info, const std::string& collection, bool json) {
  const std::uint64_t at_rest = info.code_bytes + info.catalog_bytes;
  if (json) {
    const nlohmann::ordered_json object = {{"collection", collection},
                                           {"added", s.added},
                                           {"changed", s.changed},
                                           {"unchanged", s.unchanged},
                                           {"labels_changed", s.relabelled},
                                           {"skipped", s.skipped.size()},
                                           {"removed", s.removed},
                                           {"gone", s.gone},
                                           {"images", info.images},
                                           {"code_bytes", info.code_bytes},
                                           {"catalog_bytes", info.catalog_bytes},
                                           {"picture_bytes", info.picture_bytes},
                                           {"images_per_second", s.images_per_second},
                                           {"bottleneck", s.bottleneck}};
    print_json(object);
    return;
  }
  std::cout << collection << ": " << with_commas(s.added) << " added, " << with_commas(s.changed) << " changed, "
            << with_commas(s.unchanged) << " unchanged, " << with_commas(s.skipped.size()) << " unreadable";
  if (s.relabelled > 0) std::cout << ", " << counted(s.relabelled, "label") << " changed";
  if (s.removed > 0) std::cout << ", " << with_commas(s.removed) << " removed";
  if (s.gone > 0) std::cout << ", " << with_commas(s.gone) << " not in the folder any more (--prune removes them)";
  if (s.images_per_second > 0) {
    std::cout << " (" << with_commas(static_cast<std::uint64_t>(s.images_per_second)) << " images/s, limited by " << s.bottleneck
              << ")";
  }
  std::cout << "; " << counted(info.images, "image") << " of " << human_bytes(info.picture_bytes)
            << (info.images == 1 ? " is" : " are") << " searched in " << human_bytes(info.code_bytes) << " of codes";
  if (at_rest > 0 && info.picture_bytes / at_rest >= 2) {
    std::cout << ", " << human_bytes(at_rest) << " with keys and records (" << info.picture_bytes / at_rest << " times smaller)";
  }
  std::cout << '\n';
}

}  // namespace

int run_add(Arguments words) {
  AddArguments arguments;
  std::string collection, model;
  bool json = false;
  Options options(
      "add",
      "Encode the new and changed pictures of a folder, tar or data set into a collection. Interrupted, it goes on from "
      "where it stopped when called again.",
      "signet add photos/ --collection photos.signet --model model.onnx");
  OptionSet& app = options.set();
  app.text("PATH", arguments.data.path, "images, as --data of train and encode", "", Need::kRequired);
  app.text("--collection", collection, "the collection's folder; made where missing", "FOLDER", Need::kRequired);
  app.text("--model", model, "the model; may be left out once the collection knows it", "FILE");
  app.text("--format", arguments.data.format, "auto, idx, cifar, folder, tar or manifest", "NAME");
  app.text("--split", arguments.data.split, "train or test, where the data holds both", "NAME");
  app.number("--max-megapixels", arguments.data.max_megapixels, "skip pictures larger than this (256)", "N", 1, 100'000);
  app.number("--batch", arguments.batch, "images a commit (4096): what an interruption can cost", "N", 1, std::uint64_t{1} << 20);
  app.flag("--no-labels", arguments.no_labels, "take no labels from the data; images keep those that they have");
  app.flag("--relabel", arguments.relabel, "images of unchanged pictures take the data's labels in place of their own");
  app.flag("--prune", arguments.prune, "remove images whose pictures are not in the folder PATH any more");
  app.flag("--rehash", arguments.rehash, "compare files by their content even where size and time are unchanged");
  options->threads(arguments.threads);
  options->json(json);
  options->quiet(arguments.quiet);
  if (!options.parse(words)) return 0;

  if (arguments.relabel && arguments.no_labels)
    fail(ErrorCode::kUsage, "--relabel takes the data's labels and --no-labels takes none; give one of them");
  check_data(arguments);  // before a collection is made for nothing
  Opened opened = open_or_create(collection, model, arguments);
  catch_interrupts();
  const AddSummary summary = add_pictures(*opened.writer, opened.encoder, arguments);
  for (const auto& [key, reason] : summary.skipped) note_skipped("add", key, reason);
  print_summary(summary, opened.writer->info(), collection, json);
  return 0;
}

}  // namespace signet::cli
