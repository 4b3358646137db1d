#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/signet/data.h"
#include "apps/signet/encode_data.h"
#include "signet/encode/encoder.h"
#include "signet/eval/metrics.h"
#include "signet/eval/protocol.h"
#include "signet/eval/report.h"
#include "signet/eval/results.h"
#include "signet/eval/split.h"

namespace signet::cli {

// How the images of a part are turned into codes, in place of encode_dataset(): several models measured on the same features.
using EncodeFn = std::function<EncodedData(const Encoder&, const Dataset&, const std::string& root)>;

struct EvalArguments {
  DataArguments data;
  std::string model, query_data, trained_on, codes, database, labels, database_labels, log, html, command;
  std::vector<std::string> protocols, summary;
  std::uint64_t bits = 0, bits_used = 0, seed = 1;
  std::size_t threads = 0, cutoff = 0, gallery = 12;
  EncodeFn encode;                                                      // empty: encode_dataset()
  std::map<std::string, std::vector<std::string>>* overlaps = nullptr;  // what checks of overlap said, by protocol: done once
  bool seed_given = false, no_bounds = false, no_overlap_check = false, json = false, quiet = false;
  bool for_comparison = false;  // look at what only records of reproduce hold
};

// Everything that one evaluation of a model looked at, for the report.
struct Evaluated {
  EvalRecord record;
  std::vector<GalleryRow> gallery;
  // With for_comparison. The gallery then holds the same few queries for every model, with small pictures.
  std::string query_set;  // hash of queries, database and their labels: values by query pair where it is equal
  std::vector<SearchCost> search_cost;
};

// The seed that a model's training record names: of the network, or of the draw of its training images, which is the network's
// where it names no other.
enum class SeedOf { kNetwork, kDraw };
std::optional<std::uint64_t> recorded_seed(const std::string& training_record, SeedOf what);
std::uint64_t seed_of(const EvalArguments& arguments, const std::string& training_record,
                      SeedOf what);  // the one given with --seed, else the recorded one, else 1

// A model measured on one source of images. Parts are opened and encoded once, however many protocols ask for them.
class EvalSession {
 public:
  explicit EvalSession(const EvalArguments& arguments);
  Evaluated run(const Protocol& protocol, bool with_gallery);
  // From here on the model whose codes are the first `bits` of this one's (encode/model.h, shorten). Codes that are there already
  // are cut, so that a nested network of several lengths looks at its images once.
  void use_first_bits(std::uint32_t bits);
  const ModelInfo& model() const { return encoder_.info(); }

 private:
  struct Part {
    std::string path;
    std::shared_ptr<const Dataset> data;  // null: there is no such part
    std::vector<std::vector<std::int32_t>> labels;
    std::optional<EncodedData> encoded;
    std::vector<std::ptrdiff_t> row;  // of the codes, per image; -1: the image could not be read
  };
  // The images of one side of a protocol: codes, labels and where they came from.
  struct Side {
    CodeMatrix codes;
    std::vector<std::vector<std::int32_t>> labels;
    std::vector<std::size_t> images;  // numbered as EvalSplit does
    std::vector<float> features, outputs;
    std::vector<std::int32_t> classes;  // arg-max of the logits
  };

  void open_parts();
  void open_part(Part& part, const std::string& path, const std::string& split);
  void encode(Part& part);
  Part& part_of(const EvalSplit& split, std::size_t image) { return split.in_test_part(image) ? test_ : train_; }
  Side gather(const EvalSplit& split, const std::vector<std::size_t>& images);
  const std::vector<std::string>* known_overlaps(const Protocol& protocol) const;
  void check_overlap(const Protocol& protocol, const EvalSplit& split, std::vector<std::string>& notes);
  std::shared_ptr<const Dataset> images_of(const EvalSplit& split, const std::vector<std::size_t>& images);
  std::vector<std::shared_ptr<const Dataset>> training_sets(const EvalSplit& split, std::vector<std::string>& notes);
  struct GalleryWish {
    std::uint64_t seed = 1;  // of the draw of queries
    std::size_t queries = 0, hits = 0;
    std::uint32_t side = 0;  // of a picture, in pixels
  };
  struct Bounds {
    double float_map = -1, class_id_map = -1;  // -1: not computed
    std::string float_of;
  };
  Bounds bounds_of(const Protocol& protocol, const Side& queries, const Side& database, bool leave_one_out) const;
  void add_bounds(EvalRecord& record, const Side& queries, const Side& database, bool leave_one_out);
  std::vector<GalleryRow> gallery(const EvalSplit& split, const Side& queries, const Side& database, const GalleryWish& wish);
  GalleryItem picture_of(const EvalSplit& split, std::size_t image, std::uint32_t side);
  void add_for_comparison(Evaluated& result, const EvalSplit& split, const Side& queries, const Side& database);

  const EvalArguments& arguments_;
  Encoder encoder_;
  DecodeLimits limits_;
  Part train_, test_;
  std::map<std::pair<std::string, std::uint32_t>, Bounds> bounds_;  // by protocol, and length where they depend on it
};

// Throws kInvalidArgument naming `data`, which the queries come from, where every mean is over no query.
void require_relevant(const Metrics& metrics, const std::string& data);

// --codes: queries and database come as codes with labels, no model and no pictures.
EvalRecord evaluate_codes(const EvalArguments& arguments, const Protocol& protocol);

// Training curve from the JSON lines that train logs. Throws Error{kCorrupt} naming the line.
std::vector<TrainingPoint> read_training_log(const std::string& path);

// The table for people, from what `eval --json` prints: one row an entry, and the mean over entries of one protocol and length.
// Throws Error{kCorrupt} where `json` is something else; `name` names it.
struct EvalSummaryRow {
  std::string protocol, method, dataset, model, name;
  std::uint64_t bits = 0, seed = 0, queries = 0, without_relevant = 0, database = 0, distinct_codes = 0, cutoff = 0;
  double map = -1, map_optimistic = -1, map_pessimistic = -1, class_id_map = -1, float_map = -1, precision_at_radius_2 = -1;
  std::vector<std::string> notes;
};
std::vector<EvalSummaryRow> parse_eval_json(const std::string& json, const std::string& name);
void print_eval_summary(const std::vector<EvalSummaryRow>& rows);
// Throws kInvalidArgument naming both files where one run (protocol, length, model and seed) is there twice: a mean would count
// it twice. Codes that name no model are a run a file.
void refuse_repeats(const std::vector<EvalSummaryRow>& rows);

}  // namespace signet::cli
