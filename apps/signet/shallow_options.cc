#include <algorithm>
#include <array>

#include "apps/signet/options.h"
#include "apps/signet/shallow.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/code/code_matrix.h"
#include "signet/eval/protocol.h"
#include "signet/image/picture_hash.h"

namespace signet::cli {
namespace {

constexpr std::array kFeatures = {"pixels", "gist", "network", "network-map"};
constexpr std::array kHashes = {"ahash", "dhash", "phash", "block-mean"};
constexpr std::array kParameters = {"rounds", "anchors", "labelled", "ridge", "lambda", "nu", "rows"};

double real(const char* flag, const std::string& text, double otherwise) {
  if (text.empty()) return otherwise;
  const std::optional<double> value = to_real(text);
  if (!value || *value < 0) fail(ErrorCode::kUsage, flag, " \"", text, "\" must be a number, 0 or more");
  return *value;
}

struct Numbers {
  std::uint64_t bits = 12, rounds = 0, anchors = 0, labelled = 0, rows = 0;
  std::string ridge, lambda, nu;
};

void add_method_options(OptionSet& set, ShallowRequest& r, Numbers& n) {
  const BaselineOptions defaults;
  set.text("--features", r.features,
           "what the method learns from: pixels, gist (512 numbers), network (a model's features) or network-map (before their "
           "pooling) (pixels)",
           "NAME");
  set.text(
      "--model", r.model,
      "the model or the *.features file (--features-out) whose features are taken; its network becomes part of the new model",
      "FILE");
  set.number("--pca", r.pca, "keep this many principal directions of the features; 0: none left out (pixels 256, others 0)", "N");
  set.number("--size", r.side,
             "side to which pictures are brought for pixels; 0: their own where all agree and it is small, else 32", "N", 0, 256);
  set.number("--rounds", n.rounds,
             "of learning: rotations of itq, itq-cca (50), isoh (300), bilinear and bilinear-lda (20), rounds of sdh (5), trees "
             "a bit of "
             "fasthash (200); 0: as published",
             "N", 0, 100'000);
  set.number("--anchors", n.anchors, "of the kernel of ksh (300) and sdh (1000); 0: as published", "N");
  set.number("--labelled", n.labelled,
             concat("images that ksh and fasthash form pairs of; 0: as published (", defaults.labelled, ")"), "N");
  set.text("--ridge", n.ridge,
           concat("itq-cca, bilinear-lda: added to covariances, relative to their mean variance (", defaults.ridge, ")"), "X");
  set.text("--lambda", n.lambda, concat("sdh: weight of the classifier's size (", defaults.lambda, ")"), "X");
  set.text("--nu", n.nu, concat("sdh: weight of the fit to the features (", defaults.nu, ")"), "X");
  set.number("--rows", n.rows, "bilinear, bilinear-lda: rows of the matrix that a vector is read as; 0: as the features are made",
             "N");
}

void refuse_unread(const ShallowRequest& r, const OptionSet& options, const std::vector<std::string>& read) {
  for (const char* name : kParameters) {
    if (options.given(concat("--", name).c_str()) && std::find(read.begin(), read.end(), name) == read.end())
      fail(ErrorCode::kUsage, "--", name, " says nothing to ", r.method, ", which reads ",
           read.empty() ? "no such option" : join(read));
  }
}

void check_picture_hash(const ShallowRequest& r, const OptionSet& options) {
  if (options.given("--bits") && r.options.bits != kPictureHashBits)
    fail(ErrorCode::kUsage, "--bits ", r.options.bits, ": ", r.method, " has ", kPictureHashBits, " bits, no more and no fewer");
  for (const char* name : {"--features", "--model", "--pca", "--size"})
    if (options.given(name)) fail(ErrorCode::kUsage, name, " says nothing to ", r.method, ", which looks at the picture itself");
  refuse_unread(r, options, {});
}

void check(const ShallowRequest& r, const OptionSet& options) {
  if (is_picture_hash(r.method)) return check_picture_hash(r, options);
  const std::vector<std::string> names = baseline_names();
  if (std::find(names.begin(), names.end(), r.method) == names.end())
    fail(ErrorCode::kUsage, "--method \"", r.method, "\" does not exist; there are ", join(names), ", ", join(kHashes),
         "; without --method a network is trained");
  if (r.data.path.empty()) fail(ErrorCode::kUsage, "--data is needed: ", r.method, " learns from images");
  if (std::find(kFeatures.begin(), kFeatures.end(), r.features) == kFeatures.end())
    fail(ErrorCode::kUsage, "--features \"", r.features, "\" does not exist; there are ", join(kFeatures));
  const bool of_network = r.features.starts_with("network");
  if (of_network && r.model.empty())
    fail(ErrorCode::kUsage, "--features ", r.features, " needs --model, whose features they are");
  if (!of_network && !r.model.empty()) fail(ErrorCode::kUsage, "--model is read with --features network and network-map alone");
  refuse_unread(r, options, baseline_parameters(r.method));
  if (!r.protocol.empty()) find_protocol(r.protocol);
}

}  // namespace

bool is_picture_hash(const std::string& method) { return std::find(kHashes.begin(), kHashes.end(), method) != kHashes.end(); }

bool asks_for_shallow(Arguments words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word == "--method" || word.starts_with("--method="); });
}

bool parse_shallow(Arguments words, ShallowRequest& r) {
  Options options(
      "train",
      "Learns a shallow method (docs/baselines.md) on features of images, and writes it as one model file like any other.",
      "signet train --method itq --features gist --data /usr/share/datasets/fashion-mnist --bits 32 --out itq.onnx");
  Numbers n;
  options->text("--method", r.method,
                join(baseline_names()) + "; or a hash of the picture alone, nothing is learned: " + join(kHashes), "NAME",
                Need::kRequired);
  r.data.add_to(options, true, Need::kOptional);
  r.data.add_derived_to(options.set());
  options->text("--protocol", r.protocol, "learn from what this protocol trains on, of the train and the test part together",
                "NAME");
  options->number("--draw-seed", r.draw_seed, "of the protocol's draw (--seed)", "N");
  options->number("--bits", n.bits, "length of the codes, 1 to 4096 (12; ahash, dhash, phash and block-mean have 64)", "K", 1,
                  kMaxBits);
  options->text("--out", r.out, "the model file to write", "FILE", Need::kRequired);
  add_method_options(options.set(), r, n);
  options->number("--seed", r.options.seed, "of everything drawn (1)", "N");
  options->flag("--dry-run", r.dry_run, "check the options and stop before any image is read");
  options->threads(r.threads);
  options->json(r.json);
  options->quiet(r.quiet);
  if (!options.parse(words)) return false;
  r.pca_given = options->given("--pca");
  if (!options->given("--draw-seed")) r.draw_seed = r.options.seed;
  r.options.bits = static_cast<std::uint32_t>(n.bits);
  r.options.rounds = n.rounds, r.options.anchors = n.anchors, r.options.rows = n.rows;
  if (n.labelled > 0) r.options.labelled = n.labelled;
  r.options.ridge = real("--ridge", n.ridge, r.options.ridge);
  r.options.lambda = real("--lambda", n.lambda, r.options.lambda);
  r.options.nu = real("--nu", n.nu, r.options.nu);
  check(r, options.set());
  r.command = concat("signet train ", join(words, " "));
  return true;
}

}  // namespace signet::cli
