#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/signet/data.h"
#include "apps/signet/search_page.h"
#include "apps/signet/search_target.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/code/code_set.h"
#include "signet/code/npy.h"
#include "signet/encode/encoder.h"

namespace signet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct SearchArguments {
  std::string index, collection, model, codes, html, kind, filter_label;
  DataArguments pictures;  // --max-megapixels alone
  std::vector<std::string> images, hex, keys;
  std::uint64_t k = 10, threads = 0, radius = 0;
  bool k_given = false, radius_given = false, explain = false, json = false;
};

struct Queries {
  CodeMatrix codes;
  std::vector<std::string> names;
  std::vector<std::string> pictures;  // base64 PNG, only where --html asked for it
};

std::unique_ptr<SearchTarget> open_target(const SearchArguments& arguments) {
  if (arguments.index.empty() == arguments.collection.empty()) {
    fail(ErrorCode::kUsage, "give either --index FILE or --collection FOLDER");
  }
  return arguments.index.empty() ? open_collection_target(arguments.collection, arguments.kind)
                                 : open_index_target(arguments.index, arguments.kind);
}

void add_images(const SearchArguments& arguments, const SearchTarget& target, Queries& queries) {
  const std::string path = arguments.model.empty() ? target.model_path() : arguments.model;
  if (path.empty())
    fail(ErrorCode::kUsage, "--image needs --model FILE, the model that the codes of ", target.path(), " were made with");
  if (arguments.model.empty()) require_model(target.path(), path);
  const Encoder encoder = Encoder::open(real_file_system(), path, {arguments.threads, "auto"});
  target.check_model(encoder.info().fingerprint, path);
  std::vector<Image> images;
  for (const std::string& file : arguments.images) {
    images.push_back(read_picture(file, limits_for(encoder.info().preprocessing, arguments.pictures)));
    queries.names.push_back(file);
    queries.pictures.push_back(arguments.html.empty() ? std::string() : thumbnail_base64(images.back(), 112));
  }
  queries.codes = pack_signs(encoder.run(images).hash, encoder.info().bits);
}

void add_codes(const SearchArguments& arguments, const SearchTarget& target, Queries& queries) {
  FileSystem& files = real_file_system();
  if (files.exists(join_path(arguments.codes, "codes.json"))) {
    CodeSet set = read_code_set(files, arguments.codes);
    if (!set.model.empty()) target.check_model(set.model, arguments.codes);
    queries.codes = std::move(set.codes);
    queries.names = std::move(set.keys);
    return;
  }
  const NpyArray array = read_npy(files, arguments.codes);
  const std::size_t columns = array.shape.size() == 2 ? array.shape[1] : array.shape[0];
  if (array.type != NpyType::kUint8 || columns != bytes_per_code(target.bits())) {
    fail(ErrorCode::kMismatch, arguments.codes, " holds rows of ", columns,
         array.type == NpyType::kUint8 ? " bytes, but " : " numbers that are not uint8, but ", target.path(), " holds codes of ",
         target.bits(), " bits (", bytes_per_code(target.bits()), " bytes of uint8)");
  }
  queries.codes = read_codes_npy(files, arguments.codes, target.bits());
  for (std::size_t i = 0; i < queries.codes.size(); ++i) queries.names.push_back(concat(arguments.codes, " row ", i));
}

Queries collect_queries(const SearchArguments& arguments, const SearchTarget& target) {
  Queries queries;
  queries.codes = CodeMatrix(0, target.bits());
  if (!arguments.images.empty()) add_images(arguments, target, queries);
  if (!arguments.codes.empty()) add_codes(arguments, target, queries);
  for (const std::string& hex : arguments.hex) {
    try {
      queries.codes.append(from_hex(hex, target.bits()));
    } catch (const Error& error) {
      fail(error.code(), "--code ", hex, " is no code of ", target.bits(), " bits: ", error.what());
    }
    queries.names.push_back(hex);
  }
  for (std::string key : arguments.keys) {
    queries.codes.append(target.code_of_key(key));
    queries.names.push_back(key);
  }
  queries.pictures.resize(queries.names.size());
  return queries;
}

std::string why_nothing(const SearchArguments& arguments, const SearchTarget& target) {
  if (arguments.radius_given) return "no image within the radius";
  if (!arguments.filter_label.empty()) return concat("no image of the class ", arguments.filter_label);
  return concat("there are no images in ", target.path());
}

void print_text(const SearchArguments& arguments, const Queries& queries, const SearchResult& result,
                const SearchTarget& target) {
  for (std::size_t q = 0; q < queries.names.size(); ++q) {
    std::cout << (q > 0 ? "\n" : "") << printable(queries.names[q]) << "  (code " << to_hex(queries.codes.row(q)) << ")\n";
    if (result.hits[q].empty()) {
      std::cout << "  " << printable(why_nothing(arguments, target)) << '\n';
      continue;
    }
    std::vector<std::vector<std::string>> rows = {{"  rank", "distance", "label", "key"}};
    for (std::size_t i = 0; i < result.hits[q].size(); ++i) {
      const Hit& hit = result.hits[q][i];
      rows.push_back({std::to_string(i + 1), std::to_string(hit.distance),
                      printable(label_text(target.labels(hit.id), target.class_names())), printable(target.key(hit.id))});
    }
    print_table(rows);
  }
}

Json label_names(const std::vector<std::int32_t>& labels, const std::vector<std::string>& class_names) {
  Json names = Json::array();
  for (const std::int32_t label : labels) names.push_back(label_text({label}, class_names));
  return names;
}

void print_hits(const Queries& queries, const SearchResult& result, const SearchTarget& target, const std::string& plan) {
  Json answers = Json::array();
  for (std::size_t q = 0; q < queries.names.size(); ++q) {
    Json hits = Json::array();
    for (std::size_t i = 0; i < result.hits[q].size(); ++i) {
      const Hit& hit = result.hits[q][i];
      hits.push_back({{"rank", i + 1},
                      {"id", hit.id},
                      {"distance", hit.distance},
                      {"key", target.key(hit.id)},
                      {"labels", label_names(target.labels(hit.id), target.class_names())}});
    }
    answers.push_back({{"query", queries.names[q]}, {"code", to_hex(queries.codes.row(q))}, {"hits", std::move(hits)}});
  }
  const SearchStats& stats = result.stats;
  Json object = {{"bits", target.bits()},
                 {"model", target.model()},
                 {"queries", std::move(answers)},
                 {"stats",
                  {{"index", stats.index},
                   {"kernel", stats.kernel},
                   {"candidates", stats.candidates},
                   {"buckets", stats.buckets},
                   {"radius_reached", stats.radius_reached},
                   {"seconds", stats.seconds}}}};
  if (!plan.empty()) object["plan"] = plan;
  print_json(object);
}

void write_page(const SearchArguments& arguments, const Queries& queries, const SearchResult& result,
                const SearchTarget& target) {
  PictureLibrary library(target.root(), arguments.pictures.dataset_options().limits);
  std::vector<PageQuery> rows;
  for (std::size_t q = 0; q < queries.names.size(); ++q) {
    PageQuery row{queries.names[q], queries.pictures[q], {}};
    if (row.picture_base64.empty() && !arguments.keys.empty()) {
      if (const auto picture = library.find(queries.names[q])) row.picture_base64 = thumbnail_base64(*picture, 112);
    }
    for (const Hit& hit : result.hits[q]) {
      row.hits.push_back({target.key(hit.id), label_text(target.labels(hit.id), target.class_names()), hit.distance});
    }
    rows.push_back(std::move(row));
  }
  const std::string page = search_page(concat("Nearest images in ", target.path()), rows, library);
  write_file_atomically(real_file_system(), arguments.html, as_bytes(page));
}

void print_stats(const SearchStats& stats, const std::string& plan) {
  std::cout << "\n"
            << plan << (plan.empty() || plan.back() == '\n' ? "" : "\n") << "answered by " << stats.index << " (kernel "
            << stats.kernel << "): " << with_commas(stats.candidates) << " codes compared, " << with_commas(stats.buckets)
            << " buckets looked at, distances up to " << stats.radius_reached << " covered, " << fixed(stats.seconds * 1000, 3)
            << " ms\n";
}

void check(const SearchArguments& arguments, const OptionSet& options) {
  const int kinds = static_cast<int>(!arguments.images.empty()) + static_cast<int>(!arguments.codes.empty()) +
                    static_cast<int>(!arguments.hex.empty()) + static_cast<int>(!arguments.keys.empty());
  if (kinds != 1) fail(ErrorCode::kUsage, "give the query as exactly one of --image, --codes, --code and --key");
  if (!arguments.images.empty()) return;
  if (options.given("--model"))
    fail(ErrorCode::kUsage, "--model ", arguments.model,
         " says nothing about a query that is no picture (--image); leave it out");
  if (options.given("--max-megapixels") && arguments.html.empty())
    fail(ErrorCode::kUsage, "--max-megapixels ", arguments.pictures.max_megapixels,
         " is of the pictures of --image and --html, and none is read; leave it out");
}

void search(const SearchArguments& arguments) {
  const auto target = open_target(arguments);
  const Queries queries = collect_queries(arguments, *target);
  SearchOptions options;
  options.k = arguments.radius_given && !arguments.k_given ? kAllHits : arguments.k;
  if (arguments.radius_given)
    options.radius = static_cast<std::uint32_t>(std::min<std::uint64_t>(arguments.radius, kMaxBits));  // beyond: everything
  options.threads = arguments.threads;
  std::vector<std::uint64_t> allowed;
  IdFilter filter;
  if (!arguments.filter_label.empty()) {
    allowed = target->filter_words(parse_label(arguments.filter_label, target->class_names()));
    filter.words = allowed;
    options.filter = &filter;
  }
  const SearchResult result = target->search(queries.codes, options);
  const std::string plan = arguments.explain ? target->explain(options, queries.codes.size()) : std::string();
  if (!arguments.html.empty()) write_page(arguments, queries, result, *target);
  if (arguments.json) {
    print_hits(queries, result, *target, plan);
  } else {
    print_text(arguments, queries, result, *target);
    if (arguments.explain) print_stats(result.stats, plan);
  }
}

}  // namespace

int run_search(Arguments words) {
  SearchArguments arguments;
  Options options("search", "Find the nearest images, exactly, by the Hamming distance of their codes.",
                  "signet search --index index.sig --model model.onnx --image photo.jpg -k 5\n"
                  "  signet search --collection photos.signet --image photo.jpg --radius 4 --html hits.html");
  OptionSet& app = options.set();
  app.text("--index", arguments.index, "index file that index wrote", "FILE");
  app.text("--collection", arguments.collection, "collection folder", "FOLDER");
  app.text("--model", arguments.model, "the model that encodes --image; a collection knows where its own was", "FILE");
  app.texts("--image", arguments.images, "pictures to look for", "FILE...");
  app.text("--codes", arguments.codes, "a codes folder, or a .npy of packed codes (uint8, n x bytes)", "PATH");
  app.texts("--code", arguments.hex, "codes as hex, byte 0 first", "HEX...");
  app.texts("--key", arguments.keys, "images that are already in it, by key", "KEY...");
  app.number("-k", arguments.k, "at most this many hits a query (10; all when only --radius is given)", "N", 1);
  app.number("--radius", arguments.radius, "only hits at this distance or less", "BITS");
  app.text("--filter-label", arguments.filter_label, "only images of this class (name or number)", "LABEL");
  app.text("--kind", arguments.kind, "force how: auto, flat, table, mih or pivot", "NAME");
  app.flag("--explain", arguments.explain, "say how the answer was found, and why so");
  app.text("--html", arguments.html, "also write a page with the pictures", "FILE");
  app.max_megapixels(arguments.pictures.max_megapixels);
  options->threads(arguments.threads);
  options->json(arguments.json);
  if (!options.parse(words)) return 0;
  arguments.k_given = app.given("-k");
  arguments.radius_given = app.given("--radius");
  check(arguments, app);
  if (!arguments.html.empty()) check_output_file("--html", arguments.html, Output::kPage);
  search(arguments);
  return 0;
}

}  // namespace signet::cli
