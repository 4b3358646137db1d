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
  std::string dataset;                 // describe() of the data
  std::uint32_t bits = 0;
  std::uint64_t seed = 0;
  std::string model;                   // fingerprint
  std::string training_record;         // JSON object from the model, may be empty
  std::string version, command;
  Metrics metrics;
  double class_id_map = -1;            // bound: 4-bit code of the arg-max class; -1: not computed
  double float_map = -1;               // bound: cosine ranking of the features; -1: not computed
  double encode_images_per_second = 0;
  std::uint64_t code_bytes_per_image = 0;
};

// The JSON of one record: an object whose keys include protocol, bits, seed, map, map_optimistic, map_pessimistic,
// precision_at_radius_2, distinct_codes, queries, database (docs/metrics.md lists all). Pretty-printed, stable key order.
std::string to_json(const EvalRecord& record);
std::string to_json(const std::vector<EvalRecord>& records);   // an array, one entry a protocol

struct GalleryItem { std::string png_base64, key, label; std::uint32_t distance = 0; bool relevant = false; };
struct GalleryRow { GalleryItem query; std::vector<GalleryItem> hits; };
struct TrainingPoint { std::string stage; double epoch = 0, loss = 0, validation_map = -1; };

struct Report {
  std::string title;
  std::vector<EvalRecord> records;
  std::vector<TrainingPoint> training;
  std::vector<GalleryRow> gallery;
};

// One self-contained HTML page: no script from elsewhere, no network, light and dark, printable.
std::string to_html(const Report& report);

}  // namespace signet
