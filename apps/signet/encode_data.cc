#include "apps/signet/encode_data.h"

#include <atomic>

#include "apps/signet/picture_source.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"

namespace signet::cli {
namespace {

// Carries the error of one picture out of encode_all, which would turn an Error into a skipped picture.
struct StrictStop : std::exception {
  explicit StrictStop(Error e) : error(std::move(e)) {}  // NOLINT(bugprone-throw-keyword-missing): a member is made, none is lost
  Error error;
};

}  // namespace

EncodedData encode_dataset(const Encoder& encoder, const Dataset& data, const std::string& root, const EncodeRequest& request,
                           const ProgressFn& progress) {
  EncodedData encoded;
  const ModelInfo& model = encoder.info();
  encoded.set.codes = CodeMatrix(0, model.bits);
  encoded.set.class_names = data.class_names();
  encoded.set.model = model.fingerprint;
  encoded.set.root = root;
  std::atomic<std::size_t> converted{0};
  const auto load = [&](std::size_t i) {
    try {
      const std::string key = data.key(i);
      if (const char* defect = key_defect(key)) fail(ErrorCode::kInvalidArgument, printable(key), ": ", defect);
      Image image = data.get(i).image;
      if (image.channels != model.preprocessing.channels) converted.fetch_add(1, std::memory_order_relaxed);
      return image;
    } catch (const Error& error) {
      if (request.strict) throw StrictStop(error);
      throw;
    }
  };
  bool any_label = false;
  const auto sink = [&](std::span<const std::size_t> indices, const Outputs& outputs) {
    const CodeMatrix block = pack_signs(outputs.hash, model.bits);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      encoded.set.codes.append(block.row(i));
      encoded.set.keys.push_back(data.key(indices[i]));
      const auto labels = data.labels(indices[i]);
      encoded.set.labels.emplace_back(labels.begin(), labels.end());
      any_label = any_label || !labels.empty();
    }
    encoded.positions.insert(encoded.positions.end(), indices.begin(), indices.end());
    encoded.features.insert(encoded.features.end(), outputs.features.begin(), outputs.features.end());
    encoded.logits.insert(encoded.logits.end(), outputs.logits.begin(), outputs.logits.end());
    if (request.on_outputs) request.on_outputs(outputs.hash);
  };
  BulkOptions options;
  options.want = request.want;
  try {
    encoded.bulk = encode_all(encoder, data.size(), load, sink, options, progress);
  } catch (const StrictStop& stop) {
    throw Error(stop.error);
  }
  encoded.converted = converted;
  if (!any_label) encoded.set.labels.clear();
  for (const auto& skipped : encoded.bulk.skipped) encoded.skipped_keys.push_back(data.key(skipped.index));
  if (encoded.positions.empty()) {
    const bool tried = !encoded.bulk.skipped.empty();
    fail(ErrorCode::kInvalidArgument, root, " holds no picture that can be read",
         tried ? concat(" (", encoded.bulk.skipped.size(), " tried); the first: ", encoded.bulk.skipped.front().reason) : "");
  }
  return encoded;
}

std::string conversion_remark(const EncodedData& encoded, const ModelInfo& model) {
  if (encoded.converted == 0) return {};
  const bool to_colour = model.preprocessing.channels == 3;
  return concat(encoded.converted, to_colour ? " grey" : " colour", encoded.converted == 1 ? " picture was" : " pictures were",
                " converted to ", to_colour ? "3 colour channels" : "grey", ", as the model takes");
}

}  // namespace signet::cli
