#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/signet/csv.h"
#include "apps/signet/data.h"
#include "apps/signet/pictures.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/encode/encoder.h"
#include "signet/store/collection.h"
#include "signet/store/collection_writer.h"

namespace signet::cli {
namespace {

struct MigrateArguments {
  std::string collection, model, out, report;
  DataArguments pictures;  // --max-megapixels alone
  std::size_t threads = 0;
  bool json = false, quiet = false;
};

struct Missing {
  std::string key, reason;
};

struct MigrateResult {
  std::uint64_t encoded = 0, there_already = 0;
  std::uint64_t new_ids = 0;               // of those encoded
  std::uint64_t verdicts_that_differ = 0;  // from what is said in the new collection
  std::uint64_t verdicts_left_out = 0;     // on images that are there in the old collection
  std::vector<Missing> missing;
};

constexpr std::size_t kBlock = 4096;  // records in memory at once; also what an interruption can cost

// Classes that the old collection has been given since come over before any label that refers to them. Labels are numbers: under
// other names they would mean other things.
void take_class_names(CollectionWriter& writer, const MigrateArguments& arguments, const std::vector<std::string>& names) {
  const std::vector<std::string> known = writer.info().class_names;
  for (std::size_t i = 0; i < std::min(known.size(), names.size()); ++i)
    if (known[i] != names[i])
      fail(ErrorCode::kMismatch, arguments.out, " has \"", known[i], "\" as its class ", i, ", where ", arguments.collection,
           " has \"", names[i], "\", so labels would change their meaning; name another folder");
  if (names.size() > known.size()) writer.set_class_names(names);
}

std::unique_ptr<CollectionWriter> open_target(const MigrateArguments& arguments, const CollectionInfo& old,
                                              const ModelInfo& model) {
  FileSystem& files = real_file_system();
  if (is_collection(files, arguments.out)) {
    auto writer = CollectionWriter::open(files, arguments.out);
    if (writer->info().model != model.fingerprint) {
      fail(ErrorCode::kMismatch, arguments.out, " is a collection of model ", writer->info().model, ", not of ", arguments.model,
           " (", model.fingerprint, "); name another folder");
    }
    take_class_names(*writer, arguments, old.class_names);
    return writer;
  }
  CreateOptions create;
  create.bits = model.bits;
  create.model = model.fingerprint;
  create.model_path = absolute_path(arguments.model);
  create.root = old.root;
  create.class_names = old.class_names;
  return CollectionWriter::create(files, arguments.out, create);
}

// Encodes the pictures of one block of records and commits them, under their old ids or under new ones.
void migrate_block(CollectionWriter& writer, const Encoder& encoder, PictureLibrary& library,
                   const std::vector<ImageRecord>& records, bool keep_ids, const ProgressFn& progress, MigrateResult& result) {
  CodeMatrix codes(0, encoder.info().bits);
  std::vector<ImageRecord> kept;
  const auto load = [&](std::size_t i) {
    std::string why;
    auto picture = library.find(records[i].key, &why);
    if (!picture) fail(ErrorCode::kNotFound, why);
    return std::move(*picture);
  };
  const auto sink = [&](std::span<const std::size_t> indices, const Outputs& outputs) {
    const CodeMatrix block = pack_signs(outputs.hash, encoder.info().bits);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      codes.append(block.row(i));
      kept.push_back(records[indices[i]]);
    }
  };
  const BulkResult bulk = encode_all(encoder, records.size(), load, sink, {}, progress);
  AddOptions add;
  add.keep_ids = keep_ids;
  writer.add({&codes, kept, encoder.info().fingerprint}, add);
  result.encoded += kept.size();
  if (!keep_ids) result.new_ids += kept.size();
  for (const auto& skipped : bulk.skipped) result.missing.push_back({records[skipped.index].key, skipped.reason});
}

// Verdicts name ids: those on two images that have both come over under their ids are kept. A key that has another id there may
// be another picture by now. What is said about a pair in the new collection already holds: an earlier call has taken it over, or
// somebody has said it there since. Where the two differ nobody knows which is newer, and that is counted.
void keep_verdicts(const CollectionView& view, const CollectionView& before, CollectionWriter& writer, MigrateResult& result) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, bool> said;
  for (const Verdict& verdict : before.verdicts()) said.emplace(std::pair(verdict.a, verdict.b), verdict.duplicate);
  std::vector<Verdict> kept;
  const auto came = [&](const ImageRecord& old) {
    const auto record = writer.find(old.key);
    return record && record->id == old.id;
  };
  for (const Verdict& verdict : view.verdicts()) {
    const auto a = view.get(verdict.a), b = view.get(verdict.b);
    if (!a || !b) continue;  // on an image that was removed
    if (!came(*a) || !came(*b))
      ++result.verdicts_left_out;
    else if (const auto there = said.find({verdict.a, verdict.b}); there == said.end())
      kept.push_back(verdict);
    else if (there->second != verdict.duplicate)
      ++result.verdicts_that_differ;
  }
  writer.set_verdicts(kept);
}

MigrateResult migrate(const MigrateArguments& arguments, const CollectionView& view, CollectionWriter& writer,
                      const Encoder& encoder) {
  MigrateResult result;
  const CollectionInfo old = view.info();
  PictureLibrary library(old.root, limits_for(encoder.info().preprocessing, arguments.pictures));
  Meter meter("migrate", arguments.quiet);
  const ProgressFn draw = meter.callback();
  std::uint64_t seen = 0;
  const auto migrate_some = [&](const std::vector<ImageRecord>& records, bool keep_ids) {
    if (records.empty()) return;
    const auto progress = [&](const Progress& p) { return draw({"encode", seen + p.done, old.images, p.detail}); };
    try {
      migrate_block(writer, encoder, library, records, keep_ids, progress, result);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      meter.clear();
      fail(ErrorCode::kCancelled, "stopped on request after ", result.encoded, " images, which are kept in ", arguments.out,
           "; the same command goes on from there");
    }
  };
  // Pictures that an earlier call did not find, and whose ids lie below what has been given since: a collection gives ids in
  // ascending order. They come last, because the new ids that they get must not lie among those of the others.
  std::vector<std::uint64_t> late;
  for (std::uint64_t after = 0;;) {
    std::vector<ImageRecord> records = view.list(after, kBlock);
    if (records.empty()) break;
    after = records.back().id;
    const std::size_t listed = records.size(), late_before = late.size();
    std::erase_if(records, [&](const ImageRecord& record) { return writer.find(record.key).has_value(); });
    result.there_already += listed - records.size();
    const std::uint64_t next_id = writer.info().next_id;
    std::erase_if(records, [&](const ImageRecord& record) {
      if (record.id < next_id) late.push_back(record.id);
      return record.id < next_id;
    });
    migrate_some(records, true);
    seen += listed - (late.size() - late_before);
  }
  writer.reserve_ids_below(old.next_id);
  for (std::size_t begin = 0; begin < late.size(); begin += kBlock) {
    std::vector<ImageRecord> records;
    for (std::size_t i = begin; i < std::min(begin + kBlock, late.size()); ++i) records.push_back(view.get(late[i]).value());
    migrate_some(records, false);
    seen += records.size();
  }
  keep_verdicts(view, *Collection::open(real_file_system(), arguments.out)->view(), writer, result);
  return result;
}

void print_result(const MigrateArguments& arguments, const MigrateResult& result) {
  if (arguments.json) {
    nlohmann::ordered_json missing = nlohmann::ordered_json::array();
    for (const Missing& one : result.missing) missing.push_back({{"key", one.key}, {"reason", one.reason}});
    const nlohmann::ordered_json object = {{"out", arguments.out},
                                           {"encoded", result.encoded},
                                           {"there_already", result.there_already},
                                           {"new_ids", result.new_ids},
                                           {"verdicts_left_out", result.verdicts_left_out},
                                           {"verdicts_that_differ", result.verdicts_that_differ},
                                           {"missing", std::move(missing)}};
    print_json(object);
    return;
  }
  std::cout << "wrote " << arguments.out << ": " << counted(result.encoded, "image") << " encoded anew";
  if (result.there_already > 0) std::cout << "; there already: " << with_commas(result.there_already);
  std::cout << '\n';
  if (result.new_ids > 0) {
    std::cout << "under new ids, because they had been missing and later ids have been given since: "
              << counted(result.new_ids, "image") << '\n';
  }
  if (result.verdicts_that_differ > 0) {
    std::cout << "not taken over, because the contrary is said there: " << counted(result.verdicts_that_differ, "verdict")
              << '\n';
  }
  if (result.verdicts_left_out > 0) {
    std::cout << "left out, because an image is missing or has another id there: " << counted(result.verdicts_left_out, "verdict")
              << '\n';
  }
  if (!result.missing.empty()) {
    std::cout << "left out, because they were not found or not readable: " << counted(result.missing.size(), "picture") << "; "
              << arguments.report << " lists them\n";
  }
}

}  // namespace

int run_migrate(Arguments words) {
  MigrateArguments arguments;
  Options options("migrate",
                  "Encode the pictures that a collection knows with another model, into a new collection with the same ids and "
                  "records. The old one is not touched. Interrupted, it goes on when called again.",
                  "signet migrate --collection photos.signet --model new.onnx --out photos-new.signet");
  OptionSet& app = options.set();
  app.text("--collection", arguments.collection, "the collection to read", "FOLDER", Need::kRequired);
  app.text("--model", arguments.model, "the new model", "FILE", Need::kRequired);
  app.text("--out", arguments.out, "the new collection", "FOLDER", Need::kRequired);
  app.text("--report", arguments.report, "CSV of pictures that were not found (OUT.missing.csv)", "FILE");
  app.max_megapixels(arguments.pictures.max_megapixels);
  options->threads(arguments.threads);
  options->json(arguments.json);
  options->quiet(arguments.quiet);
  if (!options.parse(words)) return 0;
  const bool beside_out = arguments.report.empty();
  if (beside_out)
    arguments.report = absolute_path(arguments.out) + ".missing.csv";
  else
    check_output_file("--report", arguments.report, Output::kTable);

  const auto view = Collection::open(real_file_system(), arguments.collection)->view();
  const Encoder encoder = Encoder::open(real_file_system(), arguments.model, {arguments.threads, "auto"});
  const auto writer = open_target(arguments, view->info(), encoder.info());
  if (beside_out)
    check_output_file("--report", arguments.report,
                      Output::kTable);  // not sooner: its folder may have been made with the collection
  catch_interrupts();
  const MigrateResult result = migrate(arguments, *view, *writer, encoder);
  std::vector<std::vector<std::string>> rows = {{"key", "reason"}};
  for (const Missing& one : result.missing) rows.push_back({one.key, one.reason});
  write_csv(arguments.report, rows);
  print_result(arguments, result);
  return 0;
}

}  // namespace signet::cli
