#include <algorithm>
#include <charconv>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::cli {
namespace {

std::size_t parse_position(const std::string& word, std::size_t count, const Dataset& data) {
  std::size_t position = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), position);
  if (error != std::errc{} || end != word.data() + word.size() || position >= count) {
    fail(ErrorCode::kUsage, "--only ", word, " names no image; ", data.describe(), " has positions 0 to ", count - 1);
  }
  return position;
}

// "t10k/00017" -> "t10k-00017.png", so that all lie in one folder.
std::string png_name(std::string key) {
  std::replace(key.begin(), key.end(), '/', '-');
  return printable(key) + ".png";
}

}  // namespace

int run_export_images(Arguments words) {
  DataArguments data;
  std::string out;
  std::vector<std::string> only;
  bool json = false;
  Options options("export-images", "Write images of a data set as PNG files, one after the other or only some positions.",
                  "signet export-images --data /usr/share/datasets/fashion-mnist --split test --only 0,1,2 --out pictures/");
  data.add_to(options);
  options->texts("--only", only, "positions, counted from 0, separated by commas; all where left out", "N,...", ',');
  options->text("--out", out, "folder for the PNG files; made where missing", "FOLDER", Need::kRequired);
  options->json(json);
  if (!options.parse(words)) return 0;

  const auto images = data.open();
  std::vector<std::size_t> positions;
  for (const std::string& word : only) positions.push_back(parse_position(word, images->size(), *images));
  if (only.empty()) {
    for (std::size_t i = 0; i < images->size(); ++i) positions.push_back(i);
  }
  catch_interrupts();
  real_file_system().create_directory(out);
  auto listed = nlohmann::ordered_json::array();
  for (const std::size_t position : positions) {
    if (interrupted()) fail(ErrorCode::kCancelled, "stopped on request; the files written so far are in ", out);
    const Sample sample = images->get(position);
    const std::string path = join_path(out, png_name(sample.key));
    write_file_atomically(real_file_system(), path, encode_png(sample.image));
    const std::string label = label_text(sample.labels, images->class_names());
    if (json)
      listed.push_back({{"file", path}, {"key", sample.key}, {"label", label}});
    else
      std::cout << path << "  " << printable(label) << '\n';
  }
  if (json) std::cout << listed.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  return 0;
}

}  // namespace signet::cli
