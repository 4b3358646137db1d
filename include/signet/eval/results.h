#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "signet/eval/metrics.h"

namespace signet {

// Tables and curves from stored records of experiments (docs/results/records/*.json, written by `signet reproduce`;
// docs/reproduce.md lists their keys), and from nothing else: whoever has the records can make the pages again.

struct ValidationPoint {
  std::string stage;
  double image_passes = 0, seconds = 0;
  double accuracy = -1, map = -1;          // -1: not measured there
  double soft_loss = -1, exact_loss = -1;  // the pair loss of the soft codes and of their signs; -1 likewise
};

// How long one query took, on one thread, when everything within this radius was asked of this kind of index.
struct SearchCost {
  std::string index;  // "flat", "table", "mih"
  std::uint32_t radius = 0;
  double microseconds = 0;
};

// A query with its nearest images. The pictures themselves are in a file beside the record, by key.
struct ExampleImage {
  std::string key, label;
  std::uint32_t distance = 0;  // of a hit, to its query
  bool relevant = false;       // of a hit
};
struct ExampleQuery {
  ExampleImage query;
  std::vector<ExampleImage> hits;  // nearest first
};

// Records are of this version or an older one; version 1 has no `record_version`.
inline constexpr std::uint32_t kRecordVersion = 2;

// What the pages need of one record. -1: not computed.
struct ResultRecord {
  std::string name;  // of the file, for messages
  std::string plan, plan_title, plan_text, method, remark, protocol, protocol_split, protocol_remark, dataset, pictures, cpu,
      version;
  std::uint32_t bits = 0, network_bits = 0;
  std::uint64_t seed = 0, threads = 0, distinct_codes = 0, queries = 0, database = 0, image_passes = 0, shared_image_passes = 0;
  double map = -1, map_optimistic = -1, map_pessimistic = -1, class_id_map = -1, float_map = -1, precision_at_radius_2 = -1;
  std::string float_of;  // EvalRecord::float_of; empty: not stated
  double ndcg_at_100 = -1, weighted_map = -1;
  double validation_map = -1;  // on images held out from training: what defaults are chosen by
  double train_seconds = 0, images_per_second = -1, pflop = -1, peak_memory_mib = -1, encode_images_per_second = -1;
  double goal = -1;       // validation mAP whose time is asked for
  bool headline = false;  // stands in the table at the head of the pages too
  std::vector<CurvePoint> precision_at_n, precision_recall;
  std::vector<ValidationPoint> validation;
  std::vector<std::string> notes;
  // For comparisons (docs/reproduce.md). Records of version 1 have the first three lines alone.
  std::uint64_t cutoff = 0;    // R of mAP@R; 0: the whole database
  std::string protocol_rules;  // what else decides what the number means: relevance, divisor, ties; empty: not stated
  double empty_ball_share = -1, largest_bucket = -1, mean_bit_entropy = -1, mean_bit_correlation = -1, max_bit_correlation = -1;
  std::vector<double> bit_means;
  std::vector<RadiusPoint> by_radius;
  std::string run;              // hash of what decides the network
  std::string query_set;        // hash of queries, database and their labels: numbers of equal sets are paired by query
  std::vector<float> query_ap;  // AP of each query, in their order; empty where the record has none
  std::vector<SearchCost> search_cost;
  std::vector<ExampleQuery> examples;
};

// Records of equal keys may stand in one table: their numbers mean the same.
inline auto section_key(const ResultRecord& r) { return std::tie(r.protocol, r.cutoff, r.protocol_rules, r.dataset, r.pictures); }

// The protocol, and the cut-off where there is one.
std::string measure_of(const ResultRecord& r);

// Of a file of records, or of what is published; signet's own records are below 60 kB, the pictures
// beside one below 100 kB.
inline constexpr std::uint64_t kLargestRecord = std::uint64_t{8} << 20;

// Throws kCorrupt naming `name` and the key where the text is no such record or a value is outside its range; kUnsupported for a
// record of a newer version. Every length is bounded: nothing is allocated that the text does not justify.
ResultRecord parse_result(const std::string& json, const std::string& name);

// Average precisions in [0, 1] as base64 of 16-bit numbers, little-endian, in units of 1/65535: an error of at most 7.7e-6 each.
// unpack_ap throws kCorrupt where the text is not that.
std::string pack_ap(std::span<const double> ap);
std::vector<float> unpack_ap(std::string_view text);

// A number that others printed, under one of our protocols or another one.
struct PublishedRow {
  std::string method, source, protocol, remark;  // remark: what else was used ("ImageNet weights")
  std::map<std::uint32_t, double> map;           // by code length
  int imagenet = -1;                             // were its weights trained on ImageNet: 1 yes, 0 no, -1 not stated
  std::vector<std::string> ours = {};            // methods of our records that are the same method on the same kind of features
};

// A JSON array of {"method", "source", "protocol", "remark", "map": {"12": 0.744}} and, where known, "imagenet": true or false
// and "ours": ["ksh-gist"]. Throws kCorrupt as above.
std::vector<PublishedRow> parse_published(const std::string& json, const std::string& name);

struct ResultPages {
  std::string markdown, html;
};

// A table of the headline records first, then one section a plan, those of headlines before others, one table a protocol and data
// set: numbers of two protocols never share a column. Mean and sample standard deviation over seeds. Published rows stand under
// their own protocol; those of protocols without a record come last, in a list of their own. Deterministic: the order of
// `records` does not matter. beside_documents: the pages are those of this repository, docs/results: signet's documents are
// linked, and it is said how the records were made; else the documents are named.
ResultPages results_pages(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published,
                          bool beside_documents = true);

}  // namespace signet
