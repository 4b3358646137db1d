// fuzz_seeds FOLDER: writes FOLDER/<target>/<seed> for every fuzz target, small right inputs to start from. They are made and not
// kept in the repository, so that they are always of the present format.
#include <cstdio>
#include <optional>

#include "base/memory_file.h"
#include "encode/test_networks.h"
#include "fuzz/seed_files.h"
#include "index/mih_index.h"
#include "index/pivot_index.h"
#include "index/plan_record.h"
#include "index/table_index.h"
#include "signet/base/container.h"
#include "signet/code/code_set.h"
#include "signet/code/npy.h"
#include "signet/dedup/plan.h"
#include "signet/encode/features_file.h"
#include "signet/encode/model.h"
#include "signet/image/image.h"
#include "signet/index/index_file.h"
#include "store/catalog.h"
#include "store/rows.h"
#include "store/segment.h"

namespace signet::fuzz {
namespace {

class Seeds {
 public:
  explicit Seeds(std::string folder) : folder_(std::move(folder)) {}
  void add(const std::string& target, const std::string& name, std::span<const std::byte> content) const {
    FileSystem& fs = real_file_system();
    fs.create_directory(join_path(folder_, target));
    const auto file = fs.create(join_path(join_path(folder_, target), name));
    file->append(content);
    file->close();
  }
  void add(const std::string& target, const std::string& name, const std::string& content) const {
    add(target, name, as_bytes(content));
  }

 private:
  std::string folder_;
};

std::string text_of(MemoryFiles& files, const std::string& path) {
  return std::string(as_text(read_file(files, path, ~std::uint64_t{0})));
}

CodeSet sample_set() {
  CodeSet set;
  set.codes = CodeMatrix(12, {0xff, 0x0f, 0x01, 0x00, 0x00, 0x00});
  set.keys = {"a", "b/c.png", ""};
  set.labels = {{0}, {}, {1, 0}};
  set.class_names = {"cat", "dog"};
  set.model = std::string(64, 'a');
  set.root = "/r";
  return set;
}

void code_seeds(const Seeds& seeds) {
  MemoryFiles files;
  const std::vector<std::size_t> shape{2, 2};
  write_npy(files, "u.npy", NpyType::kUint8, shape, as_bytes("abcd"));
  write_npy(files, "f.npy", NpyType::kFloat32, shape, as_bytes("0123456789abcdef"));
  seeds.add("npy", "uint8", text_of(files, "u.npy"));
  seeds.add("npy", "float32", text_of(files, "f.npy"));
  write_code_set(files, "set", sample_set());
  const std::string by_hand = R"({"format":"signet-codes","version":1,"bits":12,"count":3})";
  seeds.add("code_set", "written", joined(text_of(files, "set/codes.json"), text_of(files, "set/keys.txt")));
  seeds.add("code_set", "by_hand", joined(by_hand, "x\ny\nz\n"));
  ContainerWriter writer(files, "c", "FUZZ", 1);
  for (const char* name : {"empty", "a", "b-2"}) {
    writer.begin_section(name);
    writer.append(as_bytes(name[0] == 'e' ? "" : "123456789"));
  }
  writer.finish();
  seeds.add("container", "three_sections", text_of(files, "c"));
}

// Costs by which each kind is the cheapest for one of the searches of fuzz/index_file.cc, and multi-index hashing leaves none to
// the scan.
PlanRecord made_up_plan(const MihIndex& mih) {
  PlanRecord plan;
  plan.kinds[0] = KindCosts{{{{1, 1000}}}, {{{2, 1000}}}, 0};
  plan.kinds[1] = KindCosts{{{{1, 500}}}, {{{0, 900}, {2, 30}}}, 0};
  plan.kinds[2] = KindCosts{{{{1, 600}}}, {{{0, 20}, {2, 800}}}, 0};
  plan.kinds[3] = KindCosts{{{{1, 100}, {10, 100}}}, {}, 0};
  plan.within = {0.1, 1};
  plan.costs = UnitCosts{.bucket = 0, .candidate = 0, .scan = 1, .scan_batch = 1};
  plan.shell_candidates = mih.plan().shell_candidates;
  return plan;
}

// The index file `from` with a table, substrings, pivots and a plan beside its codes, which real ones have from 50,000 codes on.
void add_derived(MemoryFiles& files, const std::string& from, const std::string& to, const CodeMatrix& codes) {
  CodeSource source;
  source.packed = codes.data();
  source.count = codes.size();
  source.bits = codes.bits();
  const auto rows = std::make_shared<const Rows>(source);
  const TableIndex table(rows, 1);
  const MihIndex mih(rows, MihOptions{.tables = 2});
  const auto plain = Container::open(files, from, "SIDX", 1);
  ContainerWriter writer(files, to, "SIDX", 1);
  for (const std::string& section : plain->names()) {
    writer.begin_section(section);
    writer.append(plain->section(section));
  }
  std::vector<Substring> substrings{table.whole()};
  std::vector<const BucketTable*> tables{&table.table()};
  for (std::size_t t = 0; t < mih.tables().size(); ++t) {
    substrings.push_back(mih.plan().substrings[t]);
    tables.push_back(&mih.tables()[t]);
  }
  store_buckets(writer, rows->size(), substrings, tables);
  store_cells(writer, PivotIndex(rows, PivotOptions{.pivots = 3}).cells());
  writer.begin_section("plan");
  writer.append(as_bytes(plan_to_json(made_up_plan(mih))));
  writer.finish();
  const auto file = IndexFile::open(files, to);
  const auto check = [&](const char* kind, std::size_t k, std::optional<std::uint32_t> radius) {
    SearchOptions options;
    options.k = k;
    options.radius = radius;
    const SearchStats stats = file->index().search(CodeMatrix(1, codes.bits()), options).stats;
    if (stats.index != kind || stats.buckets == 0)
      fail(ErrorCode::kInternal, "the seed of ", kind, " is searched by ", stats.index);
  };
  check("pivot", 1, std::nullopt);
  check("mih", kAllHits, 0);
  check("table", kAllHits, 2);
}

void index_seeds(const Seeds& seeds) {
  MemoryFiles files;
  write_index_file(files, "i.sig", sample_set());
  seeds.add("index_file", "labelled", text_of(files, "i.sig"));
  CodeSet plain = sample_set();
  plain.labels.clear();
  plain.class_names.clear();
  write_index_file(files, "p.sig", plain);
  seeds.add("index_file", "plain", text_of(files, "p.sig"));
  add_derived(files, "p.sig", "d.sig", plain.codes);
  seeds.add("index_file", "derived", text_of(files, "d.sig"));
}

void store_seeds(const Seeds& seeds) {
  using namespace store;
  MemoryFiles files;
  const std::vector<std::uint8_t> packed{0xff, 0x0f, 0x01, 0x00};
  for (const std::uint64_t gap : {1U, 5U}) {  // consecutive ids, and stored ones
    const std::array<std::uint32_t, 2> offsets{0, static_cast<std::uint32_t>(gap)};
    Piece piece;
    piece.packed = packed;
    piece.ids = {3, 2, gap == 1 ? 0U : 4U, std::as_bytes(std::span(offsets)).data()};
    SegmentParams params;
    params.number = gap;
    params.bits = 12;
    files.create_directory(parent_path(segment_path("col", gap)));
    write_segment(files, "col", params, std::span(&piece, 1));
    seeds.add("segment", concat("gap", gap), text_of(files, segment_path("col", gap)));
  }
  const auto row = [&seeds](int table, const char* name, Bytes body) {
    body.resize(body.size() - 4);  // the target makes the checksum
    body.insert(body.begin(), static_cast<std::byte>(table));
    seeds.add("catalog_rows", name, std::span<const std::byte>(body));
  };
  HeadRow head;
  head.bits = 12;
  head.model = std::string(64, 'a');
  head.class_names = {"cat", "dog"};
  StateRow state;
  state.next_id = 9;
  ImageRecord record;
  record.key = "key";
  record.id = 7;
  record.labels = {1, 3};
  record.sha256 = std::string(64, 'b');
  record.user_json = "{}";
  row(0, "head", encode_head(head));
  row(1, "state", encode_state(state));
  row(2, "segment", encode_segment({7, 2, 3, 4, 500, 1, 0}));
  row(3, "image", encode_image(record));
  Tombstones::Chunk chunk{};
  chunk[2] = 5;
  row(4, "verdict", encode_verdict({7, 9, true}));
  row(5, "tombstones", encode_tombstones(7, chunk));
}

void model_seeds(const Seeds& seeds) {
  MemoryFiles files;
  write_model(files, "m.onnx", testing_networks::model_for(testing_networks::airbench(1, 8, {2, 2, 2}, 4), 4));
  seeds.add("model", "airbench", text_of(files, "m.onnx"));
  write_model(files, "n.onnx", testing_networks::model_for(testing_networks::every_layer(3, 12, 12, 3), 3));
  seeds.add("model", "every_layer", text_of(files, "n.onnx"));
  Model shallow = testing_networks::model_for(testing_networks::shallow_layers(1, 4, 4, 2), 2);
  write_model(files, "s.onnx", shallow);
  seeds.add("model", "shallow", text_of(files, "s.onnx"));
  shallow.network = testing_networks::shallow_layers(64, 1, 1, 2);
  shallow.info.preprocessing = {8, 8, 1, {0.0f}, {1.0f}, false, Descriptor::kHash, PictureHash::kDct};
  write_model(files, "h.onnx", shallow);
  seeds.add("model", "descriptor", text_of(files, "h.onnx"));
}

void features_seeds(const Seeds& seeds) {
  MemoryFiles files;
  const Model model = testing_networks::model_for(testing_networks::airbench(1, 8, {2, 2, 2}, 4), 4);
  ContainerWriter writer(files, "f.features", kFeaturesKind, kFeaturesVersion);
  writer.begin_section("meta");
  writer.append(as_bytes(R"({"image_passes": 4800, "seconds": 12.5})"));
  writer.begin_section(kFeaturesModelSection);
  writer.append(model_bytes(model, "f.features"));
  writer.finish();
  seeds.add("features_source", "first_stage", text_of(files, "f.features"));
  write_model(files, "m.onnx", model);
  seeds.add("features_source", "model", text_of(files, "m.onnx"));
}

void plan_seeds(const Seeds& seeds) {
  MemoryFiles files;
  DedupPlan plan;
  plan.made = "2026-11-24T12:00:00Z";
  plan.trash = "/t/trash";
  write_plan(files, "empty.json", plan);
  seeds.add("dedup_plan", "empty", text_of(files, "empty.json"));
  plan.method = "phash";
  plan.radius = 3;
  plan.calibration = R"({"radius":3,"curve":[{"radius":0,"recall":0.5}]})";
  const std::string digest(64, 'a');
  PlannedGroup group;
  group.keep = {"/t/a.png", 20, digest, 4, 3};
  group.move.push_back({{"/t/b.png", 10, digest, 2, 2}, DuplicateLevel::kNear, 2});
  group.move.push_back({{"/t/c.png", 20, digest, 4, 3}, DuplicateLevel::kSameBytes, 0});
  plan.groups.push_back(group);
  write_plan(files, "group.json", plan);
  seeds.add("dedup_plan", "group", text_of(files, "group.json"));
}

std::string picture(const std::vector<std::byte>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void picture_seeds(const Seeds& seeds) {
  const Image colour = testing_networks::random_image(40, 33, 3, 1);
  const std::string png = picture(encode_png(Image{2, 1, 1, {0, 255}}));
  seeds.add("image", "grey.png", png);
  seeds.add("image", "colour.png", picture(encode_png(testing_networks::random_image(3, 2, 3, 1))));
  seeds.add("image", "colour.jpg", picture(encode_jpeg(colour, 20)));
  seeds.add("image", "grey.jpg", picture(encode_jpeg(testing_networks::random_image(9, 9, 1, 1), 50)));
  seeds.add("image", "a.bmp", bmp());
  seeds.add("image", "a.tiff", tiff());
  seeds.add("image", "a.webp", webp());
  seeds.add("image", "a.pgm", std::string("P5\n2 1\n255\n\0\377", 13));
  seeds.add("image", "a.ppm", "P6 1 1 255 abc");
  seeds.add("image", "ascii.pgm", "P2\n2 1\n9\n0 9\n");
  seeds.add("dataset_idx", "plain", '\0' + joined(idx_images(3, 4), idx_labels(3)));
  seeds.add("dataset_idx", "gzip", '\1' + joined(gzip(idx_images(3, 4)), gzip(idx_labels(3))));
  seeds.add("dataset_cifar", "two", std::string(2 * 3073, '\3'));
  seeds.add("dataset_tar", "classes", tar({{"cat/1.png", png}, {"dog/2.png", png}}));
  seeds.add("dataset_tar", "pax", tar({{"./cat/1.png", png}, {"list.txt", "x"}}));
  seeds.add("dataset_manifest", "csv", std::string("key,label\na.png,cat\na.png,\"dog;cat\"\n"));
  seeds.add("dataset_manifest", "split", std::string("key,label,split\na.png,cat,train\nb.png,dog,test\n"));
}

void http_seeds(const Seeds& seeds) {
  seeds.add("http_request", "target", std::string(1, 0) + "/v1/images/a%2Fb?label=c%26d&limit=3&x");
  seeds.add("http_request", "thumbnail", std::string(1, 0) + "/v1/thumbnails/12?size=96");
  seeds.add("http_request", "code",
            std::string(1, 1) + R"({"code":"ff0f","k":10,"radius":3,"labels":["cat"],"offset":0,"limit":5})");
  seeds.add("http_request", "base64", std::string(1, 1) + R"({"code_base64":"/w8=","k":1})");
  seeds.add("http_request", "key", std::string(1, 1) + R"({"key":"a/b.png"})");
  seeds.add("http_request", "line", std::string(1, 2) + R"({"key":"a","label":"cat","code":"0100"})");
  seeds.add("http_request", "picture", std::string(1, 2) + R"({"key":"a","image_base64":"UDYgMSAxIDI1NSBhYmM="})");
  seeds.add("http_request", "type", std::string(1, 3) + "image/png; q=1");
  seeds.add("http_request", "duplicates", std::string(1, 0) + "/v1/duplicates?level=near-duplicate&radius=3&offset=0");
  seeds.add("http_request", "pair", std::string(1, 0) + "/v1/verdicts/12-34");
  seeds.add("http_request", "verdict", std::string(1, 4) + R"({"duplicate":true})");
  seeds.add("http_request", "record", std::string(1, 5) + R"({"options":{"supervision":"instance"}})");
  seeds.add("http_request", "keys", std::string(1, 6) + "read 0123456789abcdef\nwrite ABCDEF0123456789\n");
}

void record_seeds(const Seeds& seeds) {
  const std::string least =
      R"("protocol":"full","bits":12,"seed":1,"map":0.5,"map_optimistic":0.6,"map_pessimistic":0.4,"precision_at_radius_2":0.3,)"
      R"("train_seconds":60,"image_passes":100,"version":"1")";
  seeds.add("result_record", "least", concat(R"({"method":"itq",)", least, "}"));
  seeds.add(
      "result_record", "whole",
      concat(R"({"method":"itq","record_version":2,"query_set":"a","query_ap":{"count":2,"step":1,"values":"AAD//w=="},)",
             R"("by_radius":[{"radius":0,"items":5,"precision":0.5,"recall":0.2}],"precision_recall":[[0.2,0.5]],)",
             R"("search_cost":[{"index":"flat","radius":0,"microseconds":9}],"precision_at_n":[[1,0.9],[10,0.5]],)",
             R"("examples":[{"query":{"key":"q","label":"a"},"hits":[{"key":"h","label":"b","distance":3}]}],)", least, "}"));
  seeds.add("result_record", "pictures", std::string(R"({"pictures":{"a":"iVBORw0KGgoAAAAN"}})"));
}

void all(const std::string& folder) {
  const Seeds seeds(folder);
  http_seeds(seeds);
  code_seeds(seeds);
  index_seeds(seeds);
  store_seeds(seeds);
  model_seeds(seeds);
  features_seeds(seeds);
  plan_seeds(seeds);
  picture_seeds(seeds);
  record_seeds(seeds);
}

}  // namespace
}  // namespace signet::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    signet::fuzz::all(argv[1]);
  } catch (const signet::Error& error) {
    std::fprintf(stderr, "fuzz_seeds: %s\n", error.what());
    return signet::exit_status(error.code());
  }
}
