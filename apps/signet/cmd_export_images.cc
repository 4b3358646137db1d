#include <algorithm>
#include <charconv>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/protocol_data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::cli {
namespace {

struct ExportArguments {
  DataArguments data;
  std::string out, protocol, part;
  std::vector<std::string> only;
  std::uint64_t seed = 1;
  bool class_folders = false, json = false;
};

std::size_t parse_position(const std::string& word, const Dataset& data) {
  std::size_t position = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), position);
  if (error != std::errc{} || end != word.data() + word.size() || position >= data.size()) {
    fail(ErrorCode::kUsage, "--only ", word, " names no image; ", data.describe(), " has positions 0 to ", data.size() - 1);
  }
  return position;
}

std::shared_ptr<const Dataset> open_source(const ExportArguments& arguments) {
  if (arguments.protocol.empty()) return arguments.data.open();
  return part_of_protocol(arguments.data, arguments.protocol, arguments.part, arguments.seed);
}

// Keys and class names as file names: "t10k/00017" -> "t10k-00017".
std::string file_name_of(std::string text) {
  std::replace(text.begin(), text.end(), '/', '-');
  return printable(text);
}

std::string folder_for(const ExportArguments& arguments, const std::string& label) {
  if (!arguments.class_folders) return arguments.out;
  std::string folder = join_path(arguments.out, file_name_of(label));
  real_file_system().create_directory(folder);
  return folder;
}

void export_images(const ExportArguments& arguments) {
  const auto images = open_source(arguments);
  std::vector<std::size_t> positions;
  for (const std::string& word : arguments.only) positions.push_back(parse_position(word, *images));
  if (arguments.only.empty()) {
    for (std::size_t i = 0; i < images->size(); ++i) positions.push_back(i);
  }
  catch_interrupts();
  real_file_system().create_directory(arguments.out);
  auto listed = nlohmann::ordered_json::array();
  for (const std::size_t position : positions) {
    if (interrupted()) fail(ErrorCode::kCancelled, "stopped on request; the files written so far are in ", arguments.out);
    const Sample sample = images->get(position);
    const std::string label = label_text(sample.labels, images->class_names());
    const std::string path = join_path(folder_for(arguments, label), file_name_of(sample.key) + ".png");
    write_file_atomically(real_file_system(), path, encode_png(sample.image));
    if (arguments.json)
      listed.push_back({{"file", path}, {"key", sample.key}, {"label", label}});
    else
      std::cout << path << "  " << printable(label) << '\n';
  }
  if (arguments.json) print_json(listed);
}

}  // namespace

int run_export_images(Arguments words) {
  ExportArguments arguments;
  Options options("export-images",
                  "Write images of a data set as PNG files: all, some positions, or the part that a protocol draws.",
                  "signet export-images --data /usr/share/datasets/fashion-mnist --split test --only 0,1,2 --out pictures/\n"
                  "  signet export-images --data cifar10/ --protocol cifar10-5k --part train --class-folders --out train-5k/");
  arguments.data.add_to(options);
  arguments.data.add_derived_to(options.set());
  options->texts("--only", arguments.only, "positions, counted from 0, separated by commas; all where left out", "N,...", ',');
  options->text("--protocol", arguments.protocol, "take what this protocol draws from the train and the test part", "NAME");
  options->text(
      "--part", arguments.part,
      "which part of the protocol: train, query, database, or unlabelled (what is searched, not trained on and does not ask)",
      "NAME");
  options->number("--seed", arguments.seed, "of the protocol's draw (1)", "N");
  options->flag("--class-folders", arguments.class_folders, "one folder a class, as train and encode read them");
  options->text("--out", arguments.out, "folder for the PNG files; made where missing", "FOLDER", Need::kRequired);
  options->json(arguments.json);
  if (!options.parse(words)) return 0;
  export_images(arguments);
  return 0;
}

}  // namespace signet::cli
