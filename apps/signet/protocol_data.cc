#include "apps/signet/protocol_data.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "signet/base/error.h"
#include "signet/eval/protocol.h"

namespace signet::cli {

std::vector<std::vector<std::int32_t>> labels_of(const Dataset& data) {
  std::vector<std::vector<std::int32_t>> labels;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto one = data.labels(i);
    labels.emplace_back(one.begin(), one.end());
  }
  return labels;
}

namespace {

std::vector<std::size_t> without(std::vector<std::size_t> images, std::vector<std::size_t> left_out) {
  std::sort(images.begin(), images.end());
  std::sort(left_out.begin(), left_out.end());
  std::vector<std::size_t> rest;
  std::set_difference(images.begin(), images.end(), left_out.begin(), left_out.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

std::shared_ptr<const Dataset> part_of_protocol(const DataArguments& data, const std::string& protocol, const std::string& part,
                                                std::uint64_t seed, const DecodeLimits* limits) {
  if (!data.split.empty()) fail(ErrorCode::kUsage, "--protocol decides which images are taken; leave out --split");
  const Protocol& how = find_protocol(protocol);
  DataArguments source = data;
  source.split = "train";
  const auto train = source.open(limits);
  source.split = "test";
  const auto test = source.open(limits);
  EvalSplit split = split_for(how, labels_of(*train), labels_of(*test), seed);
  std::vector<std::size_t> images;
  if (part == "train")
    images = std::move(split.train);
  else if (part == "query")
    images = std::move(split.query);
  else if (part == "database")
    images = std::move(split.database);
  else if (part == "unlabelled")
    images = without(without(split.database, split.train), split.query);
  else
    fail(ErrorCode::kUsage, "--part is \"", part, "\"; with --protocol it must be train, query, database or unlabelled");
  return subset(concatenate({train, test}), std::move(images));
}

}  // namespace signet::cli
