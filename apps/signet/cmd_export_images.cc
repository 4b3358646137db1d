#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
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
  if (arguments.protocol.empty() && !arguments.part.empty())
    fail(ErrorCode::kUsage, "--part ", arguments.part, " is a part of a protocol; name it with --protocol, or take --split");
  if (arguments.protocol.empty()) return arguments.data.open();
  return part_of_protocol(arguments.data, arguments.protocol, arguments.part, arguments.seed);
}

// Keys and class names as file names: "t10k/00017" -> "t10k-00017". A class called "." or ".." names no folder outside.
std::string file_name_of(std::string text) {
  std::replace(text.begin(), text.end(), '/', '-');
  if (text == "." || text == "..") std::replace(text.begin(), text.end(), '.', '-');
  return printable(text);
}

struct ExportedFile {
  std::size_t position;
  std::string path, label;
};

// Where each image goes. Different keys may give one name: found before anything is written.
std::vector<ExportedFile> files_for(const ExportArguments& arguments, const Dataset& images,
                                    const std::vector<std::size_t>& positions) {
  std::vector<ExportedFile> files;
  std::map<std::string, std::size_t> taken;
  for (const std::size_t position : positions) {
    const auto labels = images.labels(position);
    const std::string label = label_text({labels.begin(), labels.end()}, images.class_names());
    const std::string folder = arguments.class_folders ? join_path(arguments.out, file_name_of(label)) : arguments.out;
    const std::string path = join_path(folder, file_name_of(images.key(position)) + ".png");
    const auto [before, is_new] = taken.emplace(path, position);
    if (!is_new)
      fail(ErrorCode::kInvalidArgument, "the images ", printable(images.key(before->second)), " and ",
           printable(images.key(position)), " would both be written to ", path,
           "; take them apart with --only, into two folders");
    files.push_back({position, path, label});
  }
  return files;
}

void export_images(const ExportArguments& arguments) {
  const auto images = open_source(arguments);
  std::vector<std::size_t> positions;
  for (const std::string& word : arguments.only) positions.push_back(parse_position(word, *images));
  if (arguments.only.empty()) {
    for (std::size_t i = 0; i < images->size(); ++i) positions.push_back(i);
  }
  const std::vector<ExportedFile> files = files_for(arguments, *images, positions);
  catch_interrupts();
  real_file_system().create_directory(arguments.out);
  auto listed = nlohmann::ordered_json::array();
  for (const auto& [position, path, label] : files) {
    if (interrupted()) fail(ErrorCode::kCancelled, "stopped on request; the files written so far are in ", arguments.out);
    const Sample sample = images->get(position);
    real_file_system().create_directory(parent_path(path));
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
