#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/command.h"
#include "apps/signet/data.h"
#include "apps/signet/options.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/code/code_set.h"
#include "signet/code/first_bits.h"
#include "signet/encode/model.h"

namespace signet::cli {
namespace {

struct ShortenArguments {
  std::string model, out, codes, codes_out;
  std::uint64_t bits = 0;
  bool json = false;
};

std::size_t shorten_codes(const ShortenArguments& a, const std::string& from, const std::string& to) {
  CodeSet set = read_code_set(real_file_system(), a.codes);
  if (set.model != from)
    fail(ErrorCode::kMismatch, a.codes, " holds codes of model ", set.model.empty() ? "(unknown)" : set.model, ", not of ",
         a.model, ", which is ", from);
  set.codes = first_bits(set.codes, static_cast<std::uint32_t>(a.bits));
  set.model = to;
  write_code_set(real_file_system(), a.codes_out, set);
  return set.codes.size();
}

// What is written replaces what it was made from, and the bits that are left out are lost. Links are followed.
void refuse_same(const char* from_flag, const std::string& from, const char* to_flag, const std::string& to) {
  std::error_code none;  // one of them does not exist
  if (std::filesystem::equivalent(from, to, none))
    fail(ErrorCode::kUsage, to_flag, " ", to, " is the same as ", from_flag, " ", from,
         ", which would be lost; name another one");
}

void check(const ShortenArguments& a) {
  if (a.bits == 0) fail(ErrorCode::kUsage, "--bits is missing: the length of the shorter codes");
  if (a.codes.empty() != a.codes_out.empty()) fail(ErrorCode::kUsage, "--codes and --codes-out go together");
  refuse_same("--model", a.model, "--out", a.out);
  refuse_same("--codes", a.codes, "--codes-out", a.codes_out);
  check_output_file("--out", a.out, Output::kModel);
  if (a.codes_out.empty()) return;
  check_output_folder("--codes-out", a.codes_out);
  check_code_folder(real_file_system(), a.codes_out);
}

}  // namespace

int run_shorten(Arguments words) {
  ShortenArguments a;
  Options options(
      "shorten",
      "Make a model whose codes are the first bits of another one's, and shorten codes that are there without encoding again. "
      "Good codes where the model was trained for that length (train --nested).",
      "signet shorten --model model.onnx --bits 12 --out short.onnx --codes codes/ --codes-out short-codes/");
  options->text("--model", a.model, "the model", "FILE", Need::kRequired);
  options->number("--bits", a.bits, "length of the shorter codes", "K", 1, kMaxBits);
  options->text("--out", a.out, "the model of the shorter codes", "FILE", Need::kRequired);
  options->text("--codes", a.codes, "codes of the model, as encode or collection export wrote them", "FOLDER");
  options->text("--codes-out", a.codes_out, "their beginnings, as codes of the shorter model", "FOLDER");
  options->json(a.json);
  if (!options.parse(words)) return 0;
  check(a);
  Model model = read_model(real_file_system(), a.model);
  if (a.bits >= model.info.bits)
    fail(ErrorCode::kInvalidArgument, "--bits ", a.bits, " is not below the ", model.info.bits, " bits of ", a.model);
  const std::string whole = model.info.fingerprint;
  model = shorten(std::move(model), static_cast<std::uint32_t>(a.bits));
  const std::size_t count = a.codes.empty() ? 0 : shorten_codes(a, whole, model.info.fingerprint);
  write_model(real_file_system(), a.out, model);
  if (a.json) {
    const nlohmann::ordered_json object = {{"out", a.out}, {"bits", a.bits}, {"model", model.info.fingerprint}, {"codes", count}};
    print_json(object);
  } else {
    std::cout << "wrote " << a.out << ": " << a.bits << " bits, fingerprint " << model.info.fingerprint.substr(0, 12);
    if (!a.codes.empty()) std::cout << "; " << counted(count, "code") << " shortened into " << a.codes_out;
    std::cout << '\n';
  }
  return 0;
}

}  // namespace signet::cli
