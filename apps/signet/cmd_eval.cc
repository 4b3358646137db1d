#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/eval_session.h"
#include "apps/signet/terminal.h"
#include "apps/signet/version.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/text.h"

namespace signet::cli {
namespace {

// A data set that protocols are meant for, and how many images its parts have.
struct PublishedSet {
  const char *family, *name;
  std::size_t train, test;
};
constexpr std::array kPublishedSets = {
    PublishedSet{"cifar10", "CIFAR-10", 50'000, 10'000}, PublishedSet{"mnist", "MNIST", 60'000, 10'000},
    PublishedSet{"fashion", "Fashion-MNIST", 60'000, 10'000}, PublishedSet{"kaggle-face", "Kaggle-Face", 28'709, 3'589}};

// Beside the number where other images were measured than those that the protocol is meant for, as far as their count and the
// name that their reader gave them say; nothing otherwise.
std::string other_images_note(const EvalRecord& record, bool copies_left_out) {
  using Query = Protocol::Query;
  const Protocol& protocol = record.protocol;
  const auto set = std::find_if(kPublishedSets.begin(), kPublishedSets.end(),
                                [&](const PublishedSet& s) { return protocol.family == s.family; });
  if (set == kPublishedSets.end()) return {};
  std::size_t queries = set->test, database = protocol.query == Query::kLeaveOneOut ? set->test : set->train;
  if (protocol.query == Query::kPerClassDraw) {
    queries = 10 * protocol.query_per_class;  // CIFAR-10's classes are ten
    database = set->train + set->test - queries;
  }
  const bool of_another = std::any_of(kPublishedSets.begin(), kPublishedSets.end(), [&](const PublishedSet& s) {
    return protocol.family != s.family && record.dataset.starts_with(concat(s.name, " "));
  });
  const Metrics& found = record.metrics;
  if (!of_another && found.queries == queries && (copies_left_out || found.database == database)) return {};
  return concat("these are not the images that ", protocol.name, " is meant for (", set->name, ", ", with_commas(queries),
                " queries among ", with_commas(database), "), but ", record.dataset, ", ", with_commas(found.queries),
                " queries among ", with_commas(found.database));
}

// Into `report`, one protocol after the other: it holds those that were measured before one fails.
void measure(const EvalArguments& arguments, Report& report) {
  std::vector<const Protocol*> protocols;  // unknown names are found before any work
  for (const std::string& name : arguments.protocols) protocols.push_back(&find_protocol(name));
  report.title = concat("signet: ", join(arguments.protocols));
  if (!arguments.log.empty()) report.training = read_training_log(arguments.log);
  const auto finish = [&](EvalRecord record) {
    record.seed = seed_of(arguments, record.training_record, SeedOf::kNetwork);
    record.version = full_version();
    record.command = arguments.command;
    if (std::string other = other_images_note(record, arguments.data.leave_out_copies); !other.empty())
      record.notes.push_back(std::move(other));
    report.records.push_back(std::move(record));
  };
  const auto say = [&](const Protocol& protocol) {
    if (!arguments.quiet) note("eval", concat("measuring ", protocol.name));
  };
  if (!arguments.codes.empty()) {
    for (const Protocol* protocol : protocols) {
      say(*protocol);
      finish(evaluate_codes(arguments, *protocol));
    }
    return;
  }
  EvalSession session(arguments);
  for (const Protocol* protocol : protocols) {
    if (interrupted())  // only encoding stops by itself
      fail(ErrorCode::kCancelled, "stopped on request after ", report.records.size(), " of ",
           counted(protocols.size(), "protocol"));
    say(*protocol);
    Evaluated evaluated = session.run(*protocol, !arguments.html.empty() && report.records.empty());
    finish(std::move(evaluated.record));
    if (!evaluated.gallery.empty()) report.gallery = std::move(evaluated.gallery);
  }
}

void print(const EvalArguments& arguments, const Report& report) {
  const std::string json = to_json(report.records);
  if (arguments.json)
    std::cout << json;
  else
    print_eval_summary(parse_eval_json(json, "the result"));
}

int summarise(const std::vector<std::string>& paths, const OptionSet& options) {
  refuse_given(options, {"--protocol",   "--model",      "--data",
                         "--query-data", "--format",     "--leave-out-copies",
                         "--compose",    "--trained-on", "--codes",
                         "--database",   "--labels",     "--database-labels",
                         "--bits",       "--bits-used",  "--cutoff",
                         "--seed",       "--log",        "--html",
                         "--gallery",    "--no-bounds",  "--no-overlap-check",
                         "--json"},
               "about the table that --summary prints of files");
  std::vector<EvalSummaryRow> rows;
  for (const std::string& path : paths) {
    const auto more = parse_eval_json(read_text_file(real_file_system(), path, std::uint64_t{1} << 30), path);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  refuse_repeats(rows);
  print_eval_summary(rows);
  return 0;
}

void check(const EvalArguments& arguments, const OptionSet& options) {
  const bool by_model = !arguments.model.empty() && !arguments.data.path.empty();
  if (by_model == !arguments.codes.empty()) {
    fail(ErrorCode::kUsage, "give either --model FILE and --data PATH, or --codes, with --protocol; or --summary FILE alone");
  }
  if (arguments.protocols.empty()) fail(ErrorCode::kUsage, "--protocol is missing; there are ", join(protocol_names()));
  if (arguments.html.empty()) refuse_given(options, {"--log", "--gallery"}, "about numbers without a report (--html)");
  if (by_model)
    return refuse_given(options, {"--database", "--labels", "--database-labels", "--bits"}, "about the codes of --model");
  refuse_given(options,
               {"--model", "--data", "--query-data", "--format", "--leave-out-copies", "--compose", "--trained-on", "--gallery",
                "--no-bounds", "--no-overlap-check"},
               "about codes that are there already (--codes)");
  if (arguments.bits > 0 && !arguments.codes.ends_with(".npy") && !arguments.database.ends_with(".npy"))
    fail(ErrorCode::kUsage, "--bits is the length of .npy codes, and ", arguments.codes,
         " names its own; --bits-used measures the first bits of codes");
  if (arguments.database.empty() && options.given("--database-labels"))
    fail(ErrorCode::kUsage, "--database-labels ", arguments.database_labels, " needs --database: the codes that it labels");
}

void add_options(Options& options, EvalArguments& a) {
  OptionSet& app = options.set();
  app.texts("--protocol", a.protocols, "what the number means: " + join(protocol_names()), "NAME...");
  app.text("--model", a.model, "the model to measure", "FILE");
  app.text("--data", a.data.path, "images and labels, with a train and a test part where the protocol needs both", "PATH");
  app.text("--query-data", a.query_data, "the test part, where --data has none of its own", "PATH");
  app.text("--format", a.data.format, "auto, idx, cifar, folder, tar or manifest", "NAME");
  a.data.add_derived_to(app);
  app.text("--trained-on", a.trained_on, "the images the model was trained on, for the overlap check (as its record says)",
           "PATH");
  app.text("--codes", a.codes, "queries as a codes folder or a .npy, in place of --model and --data", "PATH");
  app.text("--database", a.database, "codes that are searched; none for heldout", "PATH");
  app.text("--labels", a.labels, "labels of --codes: a .npy, or .csv with one line a code", "FILE");
  app.text("--database-labels", a.database_labels, "labels of --database", "FILE");
  app.number("--bits", a.bits, "code length of .npy codes, where it is no multiple of 8", "K", 1, kMaxBits);
  app.number("--bits-used", a.bits_used, "measure the first K bits of the codes (all)", "K", 1, kMaxBits);
  app.number("--cutoff", a.cutoff, "mAP over the first R places only (0: all)", "R");
  app.number("--seed", a.seed, "of draws and of the gallery; printed beside the numbers (the model's)", "N");
  app.text("--log", a.log, "log of train, for the training curve of the report", "FILE");
  app.text("--html", a.html, "write a report with curves and pictures", "FILE");
  app.number("--gallery", a.gallery, "query pictures in the report (12)", "N", 0, 1000);
  app.texts("--summary", a.summary, "print the table of files that --json wrote, with the mean over them", "FILE...");
  app.flag("--no-bounds", a.no_bounds, "do not compute the rows of the same network beside it: class number and float");
  app.flag("--no-overlap-check", a.no_overlap_check, "do not look for images that are in two sets (noted beside the number)");
  options->threads(a.threads);
  options->json(a.json);
  options->quiet(a.quiet);
}

}  // namespace

int run_eval(Arguments words) {
  EvalArguments arguments;
  Options options(
      "eval", "Measure a model, or codes with labels, under named protocols: tie-aware mAP with its bounds, curves, code health.",
      "signet eval --model model.onnx --data /usr/share/datasets/fashion-mnist --protocol fashion-heldout --html report.html");
  add_options(options, arguments);
  if (!options.parse(words)) return 0;
  arguments.seed_given = options->given("--seed");
  if (!arguments.summary.empty()) return summarise(arguments.summary, options.set());
  check(arguments, options.set());
  if (!arguments.html.empty()) check_output_file("--html", arguments.html, Output::kPage);
  arguments.command = concat("signet eval ", join(words, " "));

  if (arguments.codes.empty()) catch_interrupts();  // measuring codes cannot be stopped half-way, and leaves nothing behind
  Report report;
  try {
    measure(arguments, report);
  } catch (const Error&) {
    if (!report.records.empty()) print(arguments, report);  // they took their time too
    throw;
  }
  print(arguments, report);
  if (!arguments.html.empty())  // behind the numbers, which are there where the disk is full
    write_file_atomically(real_file_system(), arguments.html, as_bytes(to_html(report)));
  return 0;
}

}  // namespace signet::cli
