#include "apps/signet/eval_session.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/signet/pictures.h"
#include "apps/signet/protocol_data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/base/sha256.h"
#include "signet/code/first_bits.h"
#include "signet/eval/graded.h"
#include "signet/eval/search_cost.h"
#include "signet/index/build.h"

namespace signet::cli {
namespace {

constexpr std::uint32_t kGallerySide = 84;  // pixels
constexpr std::size_t kGalleryHits = 10;
constexpr std::size_t kNdcgRanks = 100;
// What a record's file of pictures holds: at most 28 of them, of about 3 kB each where they are in colour.
constexpr std::uint32_t kExampleSide = 32;
constexpr std::size_t kExampleQueries = 4, kExampleHits = 6;

template <typename T>
void append_row(std::vector<T>& target, const std::vector<T>& source, std::size_t row, std::size_t width) {
  if (source.empty()) return;
  const auto from = source.begin() + static_cast<std::ptrdiff_t>(row * width);
  target.insert(target.end(), from, from + static_cast<std::ptrdiff_t>(width));
}

bool several_labels(const std::vector<std::vector<std::int32_t>>& labels) {
  return std::any_of(labels.begin(), labels.end(), [](const auto& list) { return list.size() > 1; });
}

bool holds(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The model, or with `bits` the one whose codes are the beginnings of its codes.
Encoder open_encoder(const EvalArguments& arguments, std::uint64_t bits) {
  const EncoderOptions options{arguments.threads, "auto"};
  if (bits == 0) return Encoder::open(real_file_system(), arguments.model, options);
  Model model = read_model(real_file_system(), arguments.model);
  if (bits > model.info.bits)
    fail(ErrorCode::kInvalidArgument, "--bits-used ", bits, " is more than the ", model.info.bits, " bits of ", arguments.model);
  return {shorten(std::move(model), static_cast<std::uint32_t>(bits)), options};
}

// The first `kept` of every `width` numbers.
std::vector<float> first_columns(const std::vector<float>& rows, std::size_t width, std::size_t kept) {
  std::vector<float> cut;
  for (std::size_t row = 0; row < rows.size() / width; ++row) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(row * width);
    cut.insert(cut.end(), begin, begin + static_cast<std::ptrdiff_t>(kept));
  }
  return cut;
}

// Images by their number in the data set, and their labels, of both sides in order.
template <typename Side>
std::string hash_of_sides(const Side& queries, const Side& database, bool leave_one_out) {
  Sha256 hash;
  const auto add = [&hash](std::uint64_t number) { hash.update(std::as_bytes(std::span(&number, 1))); };
  add(leave_one_out ? 1 : 0);
  for (const Side* side : {&queries, &database}) {
    add(side->images.size());
    for (std::size_t i = 0; i < side->images.size(); ++i) {
      add(side->images[i]);
      add(side->labels[i].size());
      for (const std::int32_t label : side->labels[i]) add(static_cast<std::uint64_t>(label));
    }
  }
  return hash.hex().substr(0, 16);
}

// Beside a number whose queries were not compared with what the model was trained on. path: where its record has that; empty: it
// does not say. `instead`: whether what the protocol trains on was compared in its place.
std::string not_compared(const std::string& path, bool instead) {
  const std::string why = path.empty() ? "the model's record does not say where it is" : concat(path, " is not here");
  return concat("overlap with the training set was ",
                instead ? "checked with the images that the protocol trains on, because " : "not checked: ", why,
                "; --trained-on names it");
}

bool share_label(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  return std::any_of(a.begin(), a.end(), [&](std::int32_t label) { return std::find(b.begin(), b.end(), label) != b.end(); });
}

}  // namespace

std::optional<std::uint64_t> recorded_seed(const std::string& training_record, SeedOf what) {
  const auto record = nlohmann::json::parse(training_record, nullptr, false);
  if (!record.is_object()) return std::nullopt;
  const auto find = [&](const char* key) -> std::optional<std::uint64_t> {
    const auto found = record.find(key);
    if (found == record.end() || !found->is_number_unsigned()) return std::nullopt;
    return found->get<std::uint64_t>();
  };
  const auto draw = what == SeedOf::kDraw ? find("draw_seed") : std::nullopt;
  return draw ? draw : find("seed");
}

std::uint64_t seed_of(const EvalArguments& arguments, const std::string& training_record, SeedOf what) {
  if (arguments.seed_given) return arguments.seed;
  return recorded_seed(training_record, what).value_or(arguments.seed);
}

EvalSession::EvalSession(const EvalArguments& arguments)
    : arguments_(arguments),
      encoder_(open_encoder(arguments, arguments.bits_used)),
      limits_(limits_for(encoder_.info().preprocessing, arguments.data)) {
  open_parts();
}

void EvalSession::open_part(Part& part, const std::string& path, const std::string& split) {
  DataArguments source = arguments_.data;
  source.path = part.path = path;
  source.split = split;
  part.data = source.open(&limits_);
  part.labels = labels_of(*part.data);
}

// Data with its own train and test part is used as it is. --query-data names the test part of data without. With neither,
// everything is the test part, which is enough for leave-one-out protocols.
void EvalSession::open_parts() {
  const std::string& path = arguments_.data.path;
  if (!arguments_.query_data.empty()) {
    open_part(train_, path, arguments_.data.split);
    open_part(test_, arguments_.query_data, "");
  } else if (const auto splits = dataset_splits(path, arguments_.data.dataset_options());
             holds(splits, "train") && splits.size() > 1) {
    open_part(train_, path, "train");
    open_part(test_, path, "test");
  } else {
    open_part(test_, path, "");
  }
  if (train_.data != nullptr && train_.data->class_names() != test_.data->class_names()) {
    fail(ErrorCode::kMismatch, "the classes of ", train_.path, " and of ", test_.path,
         " differ; labels can only be compared where they are the same");
  }
}

void EvalSession::use_first_bits(std::uint32_t bits) {
  const std::uint32_t before = encoder_.info().bits;
  encoder_ = open_encoder(arguments_, bits);
  for (Part* part : {&train_, &test_}) {
    if (!part->encoded) continue;
    part->encoded->set.codes = first_bits(part->encoded->set.codes, bits);
    part->encoded->outputs = first_columns(part->encoded->outputs, before, bits);
  }
}

void EvalSession::encode(Part& part) {
  if (part.encoded) return;
  Meter meter("eval", arguments_.quiet);
  EncodeRequest request;
  if (!arguments_.no_bounds) {
    if (encoder_.feature_size() > 0) request.want |= Encoder::kFeatures;
    if (encoder_.classes() > 0) request.want |= Encoder::kLogits;
  }
  const std::string root = absolute_path(part.path);
  part.encoded = arguments_.encode ? arguments_.encode(encoder_, *part.data, root)
                                   : encode_dataset(encoder_, *part.data, root, request, meter.callback());
  meter.clear();
  if (const std::string remark = conversion_remark(*part.encoded, encoder_.info()); !remark.empty()) note("eval", remark);
  part.row.assign(part.data->size(), -1);
  for (std::size_t row = 0; row < part.encoded->positions.size(); ++row) {
    part.row[part.encoded->positions[row]] = static_cast<std::ptrdiff_t>(row);
  }
}

EvalSession::Side EvalSession::gather(const EvalSplit& split, const std::vector<std::size_t>& images) {
  Side side;
  side.codes = CodeMatrix(0, encoder_.info().bits);
  for (const std::size_t image : images) {
    Part& part = part_of(split, image);
    encode(part);
    const std::size_t index = split.index_in_part(image);
    if (part.row[index] < 0) continue;
    const auto row = static_cast<std::size_t>(part.row[index]);
    side.codes.append(part.encoded->set.codes.row(row));
    side.labels.push_back(part.labels[index]);
    side.images.push_back(image);
    append_row(side.features, part.encoded->features, row, encoder_.feature_size());
    append_row(side.outputs, part.encoded->outputs, row, encoder_.info().bits);
    if (!part.encoded->logits.empty()) {
      const auto first = part.encoded->logits.begin() + static_cast<std::ptrdiff_t>(row * encoder_.classes());
      side.classes.push_back(
          static_cast<std::int32_t>(std::max_element(first, first + static_cast<std::ptrdiff_t>(encoder_.classes())) - first));
    }
  }
  return side;
}

std::shared_ptr<const Dataset> EvalSession::images_of(const EvalSplit& split, const std::vector<std::size_t>& images) {
  std::vector<std::size_t> train, test;
  for (const std::size_t image : images) (split.in_test_part(image) ? test : train).push_back(split.index_in_part(image));
  if (test.empty()) return subset(train_.data, std::move(train));
  if (train.empty()) return subset(test_.data, std::move(test));
  return concatenate({subset(train_.data, std::move(train)), subset(test_.data, std::move(test))});
}

// What the model says that it was trained on, where that can still be read; else what the protocol says it should have been, or
// nothing, and a note says so. The images that a teacher named the classes of come behind those with labels.
std::vector<std::shared_ptr<const Dataset>> EvalSession::training_sets(const EvalSplit& split, std::vector<std::string>& notes) {
  DataArguments source = arguments_.data;
  source.path = arguments_.trained_on;
  source.split.clear();
  source.format = "auto";  // --format and --leave-out-copies say something of --data alone
  source.leave_out_copies = false;
  if (!source.path.empty()) return {source.open(&limits_)};
  const auto record = nlohmann::json::parse(encoder_.info().training_record, nullptr, false);
  const auto holds_value = [&](const char* key) { return record.is_object() && record.contains(key); };
  const auto text = [&](const char* key) {
    return holds_value(key) && record[key].is_string() ? record[key].get<std::string>() : std::string();
  };
  const auto flag = [&](const char* key) { return holds_value(key) && record[key] == true; };
  source.path = text("data");
  if (source.path == absolute_path(arguments_.data.path)) source.format = arguments_.data.format;
  source.split = text("split");
  source.leave_out_copies = flag("leave_out_copies");
  source.compose = flag("compose");
  const std::string protocol = text("protocol"), unlabelled = text("unlabelled");
  std::vector<std::shared_ptr<const Dataset>> sets;
  if (!real_file_system().exists(source.path)) {
    const bool instead = !split.train.empty(), learned = !holds_value("training_images") || record["training_images"] != 0;
    if (instead) sets.push_back(images_of(split, split.train));
    if (!source.path.empty() || learned) notes.push_back(not_compared(source.path, instead));
  } else if (protocol.empty()) {
    sets.push_back(source.open(&limits_));
  } else {
    const std::uint64_t draw = recorded_seed(encoder_.info().training_record, SeedOf::kDraw).value_or(1);
    sets.push_back(part_of_protocol(source, protocol, "train", draw, &limits_));
    if (holds_value("teacher") && unlabelled.empty())
      sets.push_back(part_of_protocol(source, protocol, "unlabelled", draw, &limits_));
  }
  if (!unlabelled.empty() && !real_file_system().exists(unlabelled)) {
    notes.push_back(concat("overlap with the images without labels that the model was trained on was not checked: ", unlabelled,
                           " is not here; --trained-on names them"));
  } else if (!unlabelled.empty()) {
    source.path = unlabelled;
    source.split.clear();
    source.format = "auto";
    source.leave_out_copies = false;
    sets.push_back(source.open(&limits_));
  }
  return sets;
}

void EvalSession::check_overlap(const Protocol& protocol, const EvalSplit& split, std::vector<std::string>& notes) {
  if (arguments_.no_overlap_check) {
    notes.push_back("overlap between queries, database and training set was not checked (--no-overlap-check)");
    return;
  }
  constexpr std::size_t kEnough = 100'000;
  const auto judge = [&](OverlapKind kind, const Dataset& a, const Dataset& b) {
    const auto pairs = find_overlap(a, b, kEnough);
    const std::string example = pairs.empty() ? std::string() : concat(a.key(pairs[0].first), " = ", b.key(pairs[0].second));
    const OverlapVerdict verdict = judge_overlap(protocol, kind, pairs.size(), example);
    require_allowed(verdict);
    if (!verdict.message.empty()) notes.push_back(verdict.message);
  };
  const auto queries = images_of(split, split.query);
  const auto training = training_sets(split, notes);
  for (const auto& set : training) judge(OverlapKind::kQueryTrain, *queries, *set);
  if (split.leave_one_out) {
    // The database is the queries.
    const auto pairs = find_overlap(*queries, *queries, queries->size());  // each with the first of its pixels
    const auto copies = std::count_if(pairs.begin(), pairs.end(), [](const Overlap& p) { return p.first != p.second; });
    if (copies > 0)
      notes.push_back(concat(with_commas(static_cast<std::uint64_t>(copies)), " of the ", counted(queries->size(), "image"),
                             " that ask and answer have the same pixels as one before them"));
    return;
  }
  const auto database = images_of(split, split.database);
  judge(OverlapKind::kQueryDatabase, *queries, *database);
  if (protocol.database_was_trained_on && split.database == split.train) return;  // the same images, as the protocol wants it
  for (const auto& set : training) judge(OverlapKind::kDatabaseTrain, *database, *set);
}

EvalSession::Bounds EvalSession::bounds_of(const Protocol& protocol, const Side& queries, const Side& database,
                                           bool leave_one_out) const {
  Bounds bounds;
  const auto float_row = [&](const char* of, std::vector<float> Side::*numbers, std::size_t size) {
    bounds.float_map =
        cosine_map(queries.*numbers, database.*numbers, size, queries.labels, database.labels, leave_one_out, arguments_.threads);
    bounds.float_of = of;
  };
  // The cosine ranking goes through the whole database: no number to stand beside those of the first ranks.
  const bool whole = protocol.cutoff == 0;
  if (whole && !queries.features.empty())
    float_row("features", &Side::features, encoder_.feature_size());
  else if (whole && !queries.outputs.empty())
    float_row("outputs", &Side::outputs, encoder_.info().bits);
  if (!queries.classes.empty()) {
    const CodeMatrix query_codes = class_id_codes(queries.classes, encoder_.classes());
    const CodeMatrix database_codes = class_id_codes(database.classes, encoder_.classes());
    EvalInput input{&query_codes,  &database_codes, queries.labels,    database.labels,
                    leave_one_out, protocol.cutoff, arguments_.threads};
    bounds.class_id_map = evaluate(input).map;
  }
  return bounds;
}

// Features and classes are those of the network, whatever length its codes are cut to: the long ranking of real numbers is made
// once a protocol. Outputs are one a bit.
void EvalSession::add_bounds(EvalRecord& record, const Side& queries, const Side& database, bool leave_one_out) {
  const std::uint32_t length = queries.features.empty() ? encoder_.info().bits : 0;
  const std::pair key(record.protocol.name, length);
  auto known = bounds_.find(key);
  if (known == bounds_.end()) known = bounds_.emplace(key, bounds_of(record.protocol, queries, database, leave_one_out)).first;
  record.float_map = known->second.float_map;
  record.float_of = known->second.float_of;
  record.class_id_map = known->second.class_id_map;
}

GalleryItem EvalSession::picture_of(const EvalSplit& split, std::size_t image, std::uint32_t side) {
  const Part& part = part_of(split, image);
  const std::size_t index = split.index_in_part(image);
  const Sample sample = part.data->get(index);
  return {thumbnail_base64(sample.image, side), sample.key, label_text(part.labels[index], part.data->class_names()), 0, false};
}

// Queries drawn by seed, each with its nearest images by the exact index.
std::vector<GalleryRow> EvalSession::gallery(const EvalSplit& split, const Side& queries, const Side& database,
                                             const GalleryWish& wish) {
  std::vector<std::size_t> order(queries.images.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  Random random(mix_seed(wish.seed, 0x67616c6c657279));
  random.shuffle(std::span<std::size_t>(order));
  order.resize(std::min(order.size(), wish.queries));

  BuildOptions flat;
  flat.kind = "flat";
  const auto index = build_index(source_of(std::make_shared<CodeMatrix>(database.codes)), flat);
  SearchOptions options;
  options.k = wish.hits + 1;
  options.threads = arguments_.threads;
  const SearchResult result = index->search(queries.codes.rows(order), options);
  std::vector<GalleryRow> rows;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t query = order[i];
    GalleryRow row{picture_of(split, queries.images[query], wish.side), {}};
    for (const Hit& hit : result.hits[i]) {
      if (row.hits.size() == wish.hits) break;
      if (split.leave_one_out && database.images[hit.id] == queries.images[query]) continue;
      GalleryItem item = picture_of(split, database.images[hit.id], wish.side);
      item.distance = hit.distance;
      item.relevant = share_label(queries.labels[query], database.labels[hit.id]);
      row.hits.push_back(std::move(item));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void EvalSession::add_for_comparison(Evaluated& result, const EvalSplit& split, const Side& queries, const Side& database) {
  result.query_set = hash_of_sides(queries, database, split.leave_one_out);
  result.search_cost = measure_search(queries.codes, database.codes, result.record.metrics.by_radius);
  result.gallery = gallery(split, queries, database, {1, kExampleQueries, kExampleHits, kExampleSide});
}

const std::vector<std::string>* EvalSession::known_overlaps(const Protocol& protocol) const {
  if (arguments_.overlaps == nullptr) return nullptr;
  const auto found = arguments_.overlaps->find(protocol.name);
  return found == arguments_.overlaps->end() ? nullptr : &found->second;
}

Evaluated EvalSession::run(const Protocol& protocol, bool with_gallery) {
  const EvalSplit split =
      split_for(protocol, train_.labels, test_.labels, seed_of(arguments_, model().training_record, SeedOf::kDraw));
  Evaluated result;
  EvalRecord& record = result.record;
  record.protocol = protocol;
  if (arguments_.cutoff > 0) record.protocol.cutoff = arguments_.cutoff;
  if (const auto* known = known_overlaps(protocol)) {
    record.notes = *known;
  } else {
    check_overlap(protocol, split, record.notes);
    if (arguments_.overlaps != nullptr) (*arguments_.overlaps)[protocol.name] = record.notes;
  }
  const Side queries = gather(split, split.query);
  const Side database = split.leave_one_out ? queries : gather(split, split.database);
  for (const Part* part : {&train_, &test_}) {
    if (!part->encoded || part->encoded->bulk.skipped.empty()) continue;
    record.notes.push_back(
        concat(part->encoded->bulk.skipped.size(), " images of ", part->path, " could not be read and are left out"));
  }
  EvalInput input{&queries.codes,      &database.codes,        queries.labels,    database.labels,
                  split.leave_one_out, record.protocol.cutoff, arguments_.threads};
  record.metrics = evaluate(input);
  require_relevant(record.metrics, part_of(split, split.query.front()).path);
  if (several_labels(queries.labels) || several_labels(database.labels)) {
    input.cutoff = kNdcgRanks;
    const GradedMetrics graded = evaluate_graded(input);
    record.ndcg_at_100 = graded.ndcg;
    record.weighted_map = graded.weighted_map;
  }
  add_bounds(record, queries, database, split.leave_one_out);
  const Part& searched = part_of(split, split.database.front());
  record.dataset = searched.data->describe();
  // Beside numbers of a named data set; a record of reproduce says it in its own key.
  if (!protocol.family.empty() && !arguments_.for_comparison)
    if (const PictureKind kind = picture_kind(*searched.data); kind.lossy) record.notes.push_back(kind.words);
  record.bits = encoder_.info().bits;
  record.model = encoder_.info().fingerprint;
  record.training_record = encoder_.info().training_record;
  record.encode_images_per_second = searched.encoded->bulk.images_per_second;
  record.code_bytes_per_image = bytes_per_code(record.bits);
  if (with_gallery && arguments_.gallery > 0)
    result.gallery = gallery(split, queries, database, {arguments_.seed, arguments_.gallery, kGalleryHits, kGallerySide});
  if (arguments_.for_comparison) add_for_comparison(result, split, queries, database);
  return result;
}

}  // namespace signet::cli
