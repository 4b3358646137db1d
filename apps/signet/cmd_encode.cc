#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/signet/csv.h"
#include "apps/signet/data.h"
#include "apps/signet/encode_data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/code/npy.h"

namespace signet::cli {
namespace {

struct EncodeArguments {
  DataArguments data;
  std::string model, out, engine = "auto";
  std::size_t threads = 0;
  bool outputs = false, strict = false, json = false, quiet = false;
};

// Real outputs on their way to outputs.npy, kept on disk until their number is known, so that memory stays flat.
class OutputsFile {
 public:
  explicit OutputsFile(std::string folder) : folder_(std::move(folder)), raw_(join_path(folder_, "outputs.tmp")) {
    file_ = real_file_system().create(raw_);
  }
  ~OutputsFile() {
    std::error_code ignored;
    std::filesystem::remove(raw_, ignored);
  }
  void append(std::span<const float> values) { file_->append(std::as_bytes(values)); }
  void finish(std::size_t count, std::uint32_t bits) {
    file_->close();
    const auto mapped = real_file_system().map(raw_);
    const std::array<std::size_t, 2> shape = {count, bits};
    write_npy(real_file_system(), join_path(folder_, "outputs.npy"), NpyType::kFloat32, shape, mapped->data());
  }

 private:
  std::string folder_, raw_;
  std::unique_ptr<WritableFile> file_;
};

void write_skipped(const std::string& folder, const EncodedData& encoded) {
  std::vector<std::vector<std::string>> rows = {{"key", "reason"}};
  for (std::size_t i = 0; i < encoded.skipped_keys.size(); ++i)
    rows.push_back({encoded.skipped_keys[i], encoded.bulk.skipped[i].reason});
  write_csv(join_path(folder, "skipped.csv"), rows);
}

void print_result(const EncodeArguments& arguments, const EncodedData& encoded, const Encoder& encoder) {
  const BulkResult& bulk = encoded.bulk;
  const auto& set = encoded.set;
  if (arguments.json) {
    const nlohmann::ordered_json object = {
        {"out", arguments.out},           {"images", bulk.encoded},   {"skipped", bulk.skipped.size()},
        {"converted", encoded.converted}, {"bits", set.codes.bits()}, {"model", set.model},
        {"engine", encoder.engine()},     {"seconds", bulk.seconds},  {"images_per_second", bulk.images_per_second},
        {"bottleneck", bulk.bottleneck}};
    print_json(object);
    return;
  }
  std::cout << "wrote " << arguments.out << ": " << counted(bulk.encoded, "code") << " of " << set.codes.bits() << " bits in "
            << human_seconds(bulk.seconds) << " (" << with_commas(static_cast<std::uint64_t>(bulk.images_per_second))
            << " images/s, limited by " << bulk.bottleneck << ", " << encoder.engine() << ")\n";
  if (!bulk.skipped.empty()) {
    std::cout << "skipped " << counted(bulk.skipped.size(), "picture")
              << " that could not be read: " << join_path(arguments.out, "skipped.csv") << " says why\n";
  }
}

void encode(const EncodeArguments& arguments) {
  check_output_folder("--out", arguments.out);
  check_code_folder(real_file_system(), arguments.out);
  const Encoder encoder = Encoder::open(real_file_system(), arguments.model, {arguments.threads, arguments.engine});
  const DecodeLimits limits = limits_for(encoder.info().preprocessing, arguments.data);
  const auto data = arguments.data.open(&limits);
  if (!arguments.quiet) note("encode", concat("reading ", data->describe()));

  EncodeRequest request;
  request.strict = arguments.strict;
  std::optional<OutputsFile> outputs;
  if (arguments.outputs) {
    real_file_system().create_directory(arguments.out);
    outputs.emplace(arguments.out);
    request.on_outputs = [&](std::span<const float> values) { outputs->append(values); };
  }
  catch_interrupts();
  Meter meter("encode", arguments.quiet);
  const EncodedData encoded = encode_dataset(encoder, *data, absolute_path(arguments.data.path), request, meter.callback());
  meter.clear();
  if (const std::string remark = conversion_remark(encoded, encoder.info()); !remark.empty()) note("encode", remark);
  write_code_set(real_file_system(), arguments.out, encoded.set);
  if (outputs) outputs->finish(encoded.positions.size(), encoder.info().bits);
  write_skipped(arguments.out, encoded);
  print_result(arguments, encoded, encoder);
}

}  // namespace

int run_encode(Arguments words) {
  EncodeArguments arguments;
  Options options("encode",
                  "Turn images into codes: codes.npy, keys, labels where known, and skipped.csv for those that cannot be read.",
                  "signet encode --model model.onnx --data photos/ --out codes/");
  options->text("--model", arguments.model, "the model file that train wrote", "FILE", Need::kRequired);
  arguments.data.add_to(options);
  options->text("--out", arguments.out, "folder for the codes; made where missing", "FOLDER", Need::kRequired);
  options->flag("--outputs", arguments.outputs, "also write outputs.npy, the real outputs before the sign (float32, n x bits)");
  options->flag("--strict", arguments.strict, "stop at the first picture that cannot be read, writing no codes");
  options->text("--engine", arguments.engine,
                "what runs the network: auto (onednn), onednn, or reference (plain loops, slow, to compare with)", "NAME");
  options->threads(arguments.threads);
  options->json(arguments.json);
  options->quiet(arguments.quiet);
  if (!options.parse(words)) return 0;
  encode(arguments);
  return 0;
}

}  // namespace signet::cli
