#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "signet/eval/metrics.h"

namespace signet {

// Tables and curves from stored records of experiments (docs/results/records/*.json, written by `signet reproduce`;
// docs/reproduce.md lists their keys), and from nothing else: whoever has the records can make the pages again.

struct ValidationPoint {
  std::string stage;
  double image_passes = 0, seconds = 0;
  double accuracy = -1, map = -1;  // -1: not measured there
};

// What the pages need of one record. -1: not computed.
struct ResultRecord {
  std::string name;  // of the file, for messages
  std::string plan, plan_title, plan_text, method, remark, protocol, protocol_split, protocol_remark, dataset, pictures, cpu,
      version;
  std::uint32_t bits = 0, network_bits = 0;
  std::uint64_t seed = 0, threads = 0, distinct_codes = 0, queries = 0, database = 0, image_passes = 0, shared_image_passes = 0;
  double map = -1, map_optimistic = -1, map_pessimistic = -1, class_id_map = -1, float_map = -1, precision_at_radius_2 = -1;
  double ndcg_at_100 = -1, weighted_map = -1;
  double train_seconds = 0, images_per_second = -1, pflop = -1, peak_memory_mib = -1, encode_images_per_second = -1;
  double goal = -1;  // validation mAP whose time is asked for
  std::vector<CurvePoint> precision_at_n, precision_recall;
  std::vector<ValidationPoint> validation;
  std::vector<std::string> notes;
};

// Throws kCorrupt naming `name` and the key where the text is no such record.
ResultRecord parse_result(const std::string& json, const std::string& name);

// A number that others printed, under one of our protocols or another one.
struct PublishedRow {
  std::string method, source, protocol, remark;  // remark: what else was used ("ImageNet weights")
  std::map<std::uint32_t, double> map;           // by code length
};

// A JSON array of {"method", "source", "protocol", "remark", "map": {"12": 0.744}}. Throws kCorrupt as above.
std::vector<PublishedRow> parse_published(const std::string& json, const std::string& name);

// One section a plan, one table a protocol and data set: numbers of two protocols never share a column. Mean and sample standard
// deviation over seeds. Published rows stand under their own protocol; those of protocols without a record come last, in a list
// of their own. Deterministic: the order of `records` does not matter.
std::string results_markdown(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published);
std::string results_html(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published);

}  // namespace signet
