#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dataset/readers.h"
#include "signet/base/error.h"
#include "signet/dataset/dataset.h"

namespace signet {
namespace {

void look_at_picture(const Dataset& dataset, std::size_t i, DatasetSummary& summary) {
  try {
    const Image image = dataset.get(i).image;
    const bool first = summary.max_width == 0;
    summary.min_width = first ? image.width : std::min(summary.min_width, image.width);
    summary.min_height = first ? image.height : std::min(summary.min_height, image.height);
    summary.max_width = std::max(summary.max_width, image.width);
    summary.max_height = std::max(summary.max_height, image.height);
    (image.channels == 1 ? summary.grey : summary.colour) = true;
  } catch (const Error& error) {
    summary.problems.emplace_back(error.what());
  }
}

}  // namespace

DatasetSummary summarise_dataset(const std::string& path, const DatasetOptions& options, std::size_t look_at) {
  const std::shared_ptr<const Dataset> dataset = open_dataset(path, options);
  DatasetSummary summary;
  summary.format = dataset_format_name(
      options.format != DatasetFormat::kAuto ? options.format : detect_dataset_format(path).value_or(options.format));
  summary.description = dataset->describe();
  summary.images = dataset->size();
  summary.class_names = dataset->class_names();
  std::set<std::string> splits;
  summary.class_counts.resize(summary.class_names.size());
  for (std::size_t i = 0; i < dataset->size(); ++i) {
    const auto labels = dataset->labels(i);
    if (labels.empty()) ++summary.unlabelled;
    if (std::string split = dataset->split(i); !split.empty()) splits.insert(std::move(split));
    for (const std::int32_t label : labels) ++summary.class_counts.at(static_cast<std::size_t>(label));
  }
  summary.splits = reader::in_split_order({splits.begin(), splits.end()});
  summary.split_sizes.resize(summary.splits.size());
  for (std::size_t i = 0; i < dataset->size(); ++i) {
    const auto at = std::find(summary.splits.begin(), summary.splits.end(), dataset->split(i));
    if (at != summary.splits.end()) ++summary.split_sizes[static_cast<std::size_t>(at - summary.splits.begin())];
  }
  summary.problems.assign(dataset->left_out().begin(), dataset->left_out().end());
  const std::size_t looks = std::min(look_at, dataset->size());
  for (std::size_t i = 0; i < looks; ++i) look_at_picture(*dataset, i * dataset->size() / looks, summary);
  return summary;
}

}  // namespace signet
