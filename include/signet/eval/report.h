#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signet/eval/metrics.h"
#include "signet/eval/protocol.h"

namespace signet {

// One evaluation: a protocol's numbers and everything needed to read them.
struct EvalRecord {
  Protocol protocol;
  std::string method = "signet";
  std::string dataset;  // describe() of the data
  std::uint32_t bits = 0;
  std::uint64_t seed = 0;
  std::string model;            // fingerprint
  std::string training_record;  // JSON object from the model, may be empty
  std::string version, command;
  Metrics metrics;
  double class_id_map = -1;  // bound: code of the arg-max class number (class_id_codes); -1: not computed
  double float_map = -1;     // bound: cosine ranking of real numbers, nothing coded; -1: not computed
  std::string float_of;      // which numbers: "features" of the network, or a method's "outputs" before the sign
  double ndcg_at_100 = -1, weighted_map = -1;  // graded relevance (graded.h), where images have several labels; -1: not computed
  double encode_images_per_second = 0;
  std::uint64_t code_bytes_per_image = 0;
  std::vector<std::string> notes;  // sentences to be shown beside the number: overlaps that were allowed, skipped images
};

// The JSON of one record: an object whose keys include protocol, bits, seed, map, map_optimistic, map_pessimistic,
// precision_at_radius_2, distinct_codes, queries, database (docs/metrics.md lists all). Pretty-printed, stable key order; null
// where a value was not computed.
std::string to_json(const EvalRecord& record);
// The same with the members of the JSON object `more` after its own; a member of a name that is there already replaces it. Throws
// kInvalidArgument where `more` is no JSON object.
std::string to_json(const EvalRecord& record, const std::string& more);
std::string to_json(const std::vector<EvalRecord>& records);  // an array, one entry a protocol

struct GalleryItem {
  std::string png_base64, key, label;  // the picture as base64 of a PNG file
  std::uint32_t distance = 0;          // of a hit, to its query
  bool relevant = false;               // of a hit
};
struct GalleryRow {
  GalleryItem query;
  std::vector<GalleryItem> hits;  // nearest first
};
struct TrainingPoint {
  std::string stage;  // "features", "hash-layer", "joint"
  double epoch = 0;   // over all stages, or from 0 in each stage
  double loss = 0;
  double validation_map = -1;  // -1: not measured at this point
};

struct Report {
  std::string title;
  std::vector<EvalRecord> records;  // in the order of the page; those of one protocol (and dataset) share a section
  std::vector<TrainingPoint> training;
  std::vector<GalleryRow> gallery;
};

// One self-contained HTML page: no script, no network, light and dark, printable, readable on a phone and without colour. The
// first screen says the first record's number with its protocol and both bounds. Every text is escaped. Throws kInvalidArgument
// without a record or where a picture is not base64.
std::string to_html(const Report& report);

}  // namespace signet
