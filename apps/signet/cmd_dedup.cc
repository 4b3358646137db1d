#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/signet/dedup_input.h"
#include "apps/signet/options.h"
#include "apps/signet/terminal.h"
#include "signet/base/clock.h"
#include "signet/base/error.h"
#include "signet/dedup/plan.h"
#include "signet/store/collection_writer.h"

namespace signet::cli {
namespace {

using Json = nlohmann::ordered_json;

std::optional<double> real_option(const char* flag, const std::string& text, double least, double most) {
  if (text.empty()) return std::nullopt;
  const std::optional<double> value = to_real(text);
  if (!value || *value < least || *value > most)
    fail(ErrorCode::kUsage, flag, " \"", text, "\" must be a number from ", least, " to ", most);
  return value;
}

// Options that nothing would read.
void check_idle(const DedupArguments& a, const OptionSet& set) {
  const DuplicateLevel level = parse_duplicate_level(a.level);
  const std::string at = concat("at --level ", a.level);
  if (level <= DuplicateLevel::kSamePixels) {
    refuse_given(set,
                 {"--model", "--hash", "--radius", "--budget", "--likeness", "--no-second-look", "--sample", "--seed",
                  "--mirrored", "--turned"},
                 at + ", which compares no codes");
    if (a.keep == "sharpest")
      fail(ErrorCode::kUsage, "--keep sharpest says nothing ", at,
           ", where all pictures of a group are equally sharp; give largest, oldest or path");
  }
  if (level == DuplicateLevel::kSameClass)
    refuse_given(set, {"--hash", "--budget", "--likeness", "--no-second-look", "--sample", "--seed"},
                 at + ", which compares a model's codes within --radius, without a second look");
  if (a.radius) refuse_given(set, {"--budget", "--sample", "--seed"}, "beside --radius, with which nothing is calibrated");
  if (a.no_second_look) refuse_given(set, {"--likeness"}, "beside --no-second-look: it is the threshold of that look");
}

// What is given says who is compared with whom, and who stays.
void check_sides(const DedupArguments& a) {
  if (a.paths.empty() && a.collection.empty()) fail(ErrorCode::kUsage, "give a PATH to look through, or --collection DIR");
  if (!a.against.empty() && a.paths.empty()) fail(ErrorCode::kUsage, "--against needs a PATH that is compared with it");
  if (!a.against.empty() && !a.collection.empty())
    fail(ErrorCode::kUsage, "--against and --collection are two references; give one of them");
  if ((a.mirrored || a.turned) && a.paths.empty())
    fail(ErrorCode::kUsage, "--mirrored and --turned need the pictures: give a PATH");
  if (a.keep != "path" && !a.prefer.empty())
    fail(ErrorCode::kUsage, "--prefer ", a.prefer.front(), " says whose pictures stay under --keep path alone; give both");
  if (a.keep == "path" && a.prefer.empty()) fail(ErrorCode::kUsage, "--keep path needs --prefer DIR: whose pictures are to stay");
  if (a.collection.empty())
    for (const std::string& folder : a.prefer)
      if (!real_file_system().exists(folder)) fail(ErrorCode::kNotFound, "--prefer ", folder, ": there is no such folder");
}

// The plan, its list and the trash folder that it names. Looking takes long, and would be lost with them.
void check_outputs(const DedupArguments& a) {
  const std::string trash = a.trash_folder();
  for (const std::string& path : a.paths)
    if (const std::string whole = absolute_path(path); concat(whole, "/").starts_with(trash + "/"))
      fail(ErrorCode::kUsage, "--trash ", trash, " is, or holds, ", path,
           ", whose pictures would be taken for what dedup has moved away; name a folder of its own");
  // Without --out a plan is written where there is something to move, which pictures of one class never are.
  if (a.out.empty() && parse_duplicate_level(a.level) == DuplicateLevel::kSameClass) return;
  try {
    check_output_file("--out", a.plan_path(), Output::kPlan);
    check_output_file("--out", a.plan_path() + ".list", Output::kTable);
  } catch (const Error& error) {
    if (!a.out.empty()) throw;  // else there is perhaps nothing to write, and the result is printed first in any case
    note("dedup", concat("no plan can be written without --out FILE: ", error.what()));
  }
  if (!can_be_planned(trash))
    fail(ErrorCode::kInvalidArgument, a.trash.empty() ? "the trash folder " : "--trash ", printable(trash),
         " is not UTF-8, or holds a line break, so that no plan can name it; give --trash DIR with another name");
}

void check(const DedupArguments& a, const OptionSet& set) {
  parse_keep_rule(a.keep);
  check_sides(a);
  check_idle(a, set);
  check_outputs(a);
}

bool parse_dedup(Arguments words, DedupArguments& a) {
  Options options(
      "dedup",
      "Finds pictures that are the same or nearly so, and writes a plan of what could be moved away. Nothing is moved "
      "before `signet dedup apply PLAN`; `signet dedup undo` brings everything back.",
      "signet dedup photos/ --model instance.onnx --out plan.json\n  signet dedup apply plan.json\n"
      "  signet dedup train/ --against test/ --hash phash\n"
      "  signet dedup apply --help explains moving files away; so do undo (back again) and verdict (what you know of two "
      "pictures)");
  OptionSet& set = options.set();
  std::uint64_t radius = 0;
  std::string budget, likeness;
  set.texts("PATH", a.paths, "pictures to look through: folders, .tar files, other data sets", "");
  set.texts("--against", a.against, "a reference: PATH is compared with it and with itself, the reference with itself is not",
            "PATH");
  set.text("--collection", a.collection, "look through a collection, or, together with PATH, compare PATH with it", "DIR");
  set.text("--level", a.level, "same-bytes, same-pixels, near-duplicate or same-class (near-duplicate)", "NAME");
  set.text("--model", a.model, "instance model that makes the codes (signet train --supervision instance)", "FILE");
  set.text(
      "--hash", a.hash,
      "perceptual hash: ahash, dhash, phash or block-mean; with a model, pairs that are near by either are compared, and none "
      "leaves the hash out (phash; with --collection: only where given)",
      "NAME");
  set.number("--radius", radius, "bits by which near codes may differ; calibrated on your pictures where not given", "R", 0,
             kMaxBits);
  set.text("--budget", budget,
           "calibration: false pairs an image that codes alone may bring, on average (0.01; 10 with a second look)", "X");
  set.text("--likeness", likeness, "threshold of the second look, 0 to 1; calibrated, to 0.5 or more, where not given", "X");
  set.flag("--no-second-look", a.no_second_look, "believe the codes alone: pictures of near pairs are not read again");
  set.number("--sample", a.sample, "images that calibration makes copies of (300)", "N", 2, 100'000);
  set.number("--seed", a.seed, "of the calibration's draw (1)", "N");
  set.flag("--mirrored", a.mirrored, "find mirrored copies too");
  set.flag("--turned", a.turned, "find copies turned by quarters too");
  set.text("--keep", a.keep, "who stays: largest, oldest, sharpest (all pictures are read) or path (largest)", "RULE");
  set.texts("--prefer", a.prefer, "with --keep path: folders whose pictures stay, the most wanted first", "DIR");
  set.text("--out", a.out, "the plan to write (dedup-plan.json where there are files to move)", "FILE");
  set.text("--trash", a.trash, "folder that apply moves files to (FILE.trash)", "DIR");
  set.max_megapixels(a.max_megapixels);
  set.threads(a.threads);
  set.json(a.json);
  set.quiet(a.quiet);
  if (!options.parse(words)) return false;
  if (set.given("--radius")) a.radius = static_cast<std::uint32_t>(radius);
  a.budget = real_option("--budget", budget, 0, 1000);
  a.likeness = real_option("--likeness", likeness, 0, 1);
  check(a, set);
  return true;
}

struct Found {
  std::vector<DuplicateGroup> groups;
  std::uint32_t radius = 0;
  std::optional<std::uint32_t> more_radius;
  double likeness = -1;  // < 0: no second look
  std::optional<Calibration> calibration;
  std::string calibration_text;
};

std::string least_likeness_text(const Calibration& c) {
  return concat("the likeness that ", fixed(100 * CalibrationOptions{}.copies_kept, 0),
                " % of the known copies reach is so small that strangers may reach it too, so that the second look asks for ",
                fixed(c.likeness, 3), " and will miss the ", fixed(100 * (1 - c.passing), 1),
                " % of them that do not reach it (drawings, pages of text and empty pages are like that); --likeness gives "
                "another threshold");
}

void choose_radius(const DedupArguments& a, DedupInput& input, const ProgressFn& progress, Found& found) {
  if (a.radius || parse_duplicate_level(a.level) != DuplicateLevel::kNear) {
    found.radius = a.radius.value_or(0);
    if (!a.no_second_look) found.likeness = a.likeness.value_or(-1);
    return;
  }
  if (input.set.items.size() < 2) return;
  CalibrationOptions options;
  options.budget = a.budget.value_or(a.no_second_look ? 0.01 : 10);
  options.sample = a.sample, options.seed = a.seed, options.threads = a.threads, options.progress = progress;
  found.calibration = input.calibrate_here(options);
  found.calibration_text = calibration_json(*found.calibration, options);
  found.radius = found.calibration->radius;
  found.more_radius = found.calibration->more_radius;
  if (!found.more_radius) input.set.more_codes = {};  // the budget has no room for them
  if (a.no_second_look) return;
  found.likeness = a.likeness.value_or(found.calibration->likeness);
  if (!a.likeness && found.likeness <= kLeastLikeness) input.remarks.push_back(least_likeness_text(*found.calibration));
}

// Of --prefer, by where the pictures are; says so where a folder holds none of them.
std::vector<std::string> preferred_folders(const DedupArguments& a, DedupInput& input) {
  std::vector<std::string> folders;
  const std::vector<DedupItem>& items = input.set.items;
  for (const std::string& name : a.prefer) {
    const std::string& folder = folders.emplace_back(absolute_path(name));
    if (std::none_of(items.begin(), items.end(), [&](const DedupItem& item) { return lies_in(item, folder); }))
      input.remarks.push_back(concat("--prefer ", printable(name), ": none of the pictures lies there"));
  }
  return folders;
}

Found find(const DedupArguments& a, DedupInput& input, const ProgressFn& progress) {
  Found found;
  FindOptions options;
  options.level = parse_duplicate_level(a.level);
  if (options.level == DuplicateLevel::kSamePixels) input.fill_pixel_digests(progress);
  if (options.level >= DuplicateLevel::kNear) choose_radius(a, input, progress, found);
  options.radius = found.radius;
  options.keep = {parse_keep_rule(a.keep), preferred_folders(a, input)};
  options.reference = input.reference;
  options.poses = input.poses;
  options.more_radius = found.more_radius.value_or(0);
  options.more_poses = input.more_poses;
  if (found.calibration) options.trusted = found.calibration->trusted, options.more_trusted = found.calibration->more_trusted;
  options.threads = a.threads;
  options.progress = progress;
  if (found.likeness >= 0)
    options.second_look = [&](std::size_t keeper, std::size_t item) {
      return input.alike(keeper, item, {found.likeness, found.radius, found.more_radius});
    };
  found.groups = find_duplicates(input.set, input.verdicts, options);
  return found;
}

// Duplicates that are not planned for some reason: how many, and the first.
struct NotPlanned {
  std::size_t count = 0;
  std::string first;
  void add(const std::string& name) {
    if (count++ == 0) first = name;
  }
  void tell(const char* why) const {
    if (count > 0) note("dedup", concat("not in the plan: ", with_commas(count), why, ", the first: ", printable(first)));
  }
};

bool is_link(const std::string& path) {
  std::error_code gone;
  return std::filesystem::is_symlink(path, gone);
}

// The files that stay, whatever their names: those of the reference, every keeper, and what links among the duplicates lead to.
std::set<FileId> files_that_stay(const DedupInput& input, const Found& found) {
  std::set<FileId> stay;
  const auto add = [&](std::size_t item) {
    if (const auto id = file_id(input.file_of(item))) stay.insert(*id);
  };
  // Names of one file say one size: of a large reference only these few are looked at.
  std::set<std::uint64_t> sizes{0};  // not known
  for (const DuplicateGroup& group : found.groups)
    for (const DuplicateMember& member : group.members) sizes.insert(input.set.items[member.item].bytes);
  for (std::size_t i = 0; i < input.reference; ++i)
    if (sizes.contains(input.set.items[i].bytes)) add(i);
  for (const DuplicateGroup& group : found.groups) {
    add(group.keeper);
    for (const DuplicateMember& member : group.members)
      if (is_link(input.file_of(member.item))) add(member.item);
  }
  return stay;
}

// What can be moved: files of their own that do not stay under another name, with everything known that apply compares.
void plan_groups(const DedupInput& input, const Found& found, DedupPlan& plan) {
  const auto planned = [&](std::size_t i) {
    const DedupItem& item = input.set.items[i];
    return PlannedFile{item.sha256.size() == 64 ? input.file_of(i) : "", item.bytes, item.sha256, item.width, item.height};
  };
  const std::set<FileId> stay = files_that_stay(input, found);
  std::set<std::filesystem::path> moved;  // without links in them: the same file may be met by two ways
  NotPlanned not_known, no_file, other_name, odd_name;
  for (const DuplicateGroup& group : found.groups) {
    PlannedGroup entry{planned(group.keeper), {}};
    for (const DuplicateMember& member : group.members) {
      const PlannedFile file = planned(member.item);
      const auto id = file_id(file.path);
      std::error_code gone;
      if (member.level == DuplicateLevel::kNear && !input.kind_known)
        not_known.add(input.set.items[member.item].key);
      else if (entry.keep.path.empty() || !id)
        no_file.add(input.set.items[member.item].key);
      else if (!can_be_planned(file.path) || !can_be_planned(entry.keep.path))
        odd_name.add(file.path);
      else if (stay.contains(*id) || !moved.insert(std::filesystem::canonical(file.path, gone)).second)
        other_name.add(file.path);
      else
        entry.move.push_back({file, member.level, member.distance});
    }
    if (!entry.move.empty()) plan.groups.push_back(std::move(entry));
  }
  not_known.tell(" whose codes are near, and are perhaps of classes");
  no_file.tell(" that have, or whose keeper has, no file of its own here with a known SHA-256");
  odd_name.tell(" whose name, or whose keeper's, is not UTF-8 or holds a line break");
  other_name.tell(" that are links, or other names of files that stay or are moved already");
}

DedupPlan make_plan(const DedupArguments& a, const DedupInput& input, const Found& found) {
  DedupPlan plan;
  plan.made = utc_now();
  plan.method = input.method;
  plan.level = parse_duplicate_level(a.level);
  plan.radius = found.radius;
  plan.keep = parse_keep_rule(a.keep);
  plan.calibration = found.calibration_text;
  plan.trash = a.trash_folder();
  if (plan.level != DuplicateLevel::kSameClass && !found.groups.empty())  // pictures of one class are no duplicates
    plan_groups(input, found, plan);
  return plan;
}

std::uint64_t bytes_of(const DedupPlan& plan, std::size_t& files) {
  std::uint64_t bytes = 0;
  for (const PlannedGroup& group : plan.groups)
    for (const PlannedMove& move : group.move) bytes += move.file.bytes, ++files;
  return bytes;
}

std::string radii_text(std::uint32_t radius, std::optional<std::uint32_t> more_radius) {
  return more_radius ? concat("radius ", radius, ", of the hash ", *more_radius) : concat("radius ", radius);
}

std::string trust_text(const Calibration& c) {
  if (c.trusted && c.more_trusted)
    return concat("; believed without a look within ", *c.trusted, ", of the hash ", *c.more_trusted);
  if (c.trusted) return concat("; believed without a look within ", *c.trusted);
  return c.more_trusted ? concat("; believed without a look within ", *c.more_trusted, " of the hash") : "";
}

void print_calibration(const Calibration& c) {
  std::cout << "calibrated on " << with_commas(c.sample) << " of " << with_commas(c.images) << " images ("
            << with_commas(c.copies) << " known copies): " << radii_text(c.radius, c.more_radius) << ", likeness "
            << fixed(c.likeness, 3) << ", which " << fixed(100 * c.passing, 1) << " % of the copies reach" << trust_text(c)
            << '\n';
  const bool two = !c.curve.empty() && c.curve.front().more_radius;
  std::vector<std::vector<std::string>> rows = {{"radius", "copies found", "false pairs an image"}};
  if (two) rows.front().insert(rows.front().begin() + 1, "of the hash");
  for (const CalibrationPoint& point : c.curve) {
    const bool shown = point.radius == c.radius || point.radius % 2 == 0;
    if (!shown || point.radius > c.radius + 4) continue;
    std::vector<std::string>& row = rows.emplace_back();
    row.push_back(concat(point.radius, point.radius == c.radius ? " *" : ""));
    if (two) row.push_back(point.more_radius ? concat(*point.more_radius) : "none");
    row.push_back(fixed(point.recall, 4));
    row.push_back(point.false_pairs == 0 ? concat("< ", fixed(c.resolution, 4)) : fixed(point.false_pairs, 4));
  }
  print_table(rows);
}

Json to_json(const DedupInput& input, const Found& found) {
  const auto image = [&](std::size_t i) {
    const DedupItem& item = input.set.items[i];
    Json object = {{"key", item.key}, {"width", item.width}, {"height", item.height}, {"bytes", item.bytes}};
    if (item.id != 0) object["id"] = item.id;
    return object;
  };
  Json groups = Json::array();
  for (const DuplicateGroup& group : found.groups) {
    Json members = Json::array();
    for (const DuplicateMember& member : group.members) {
      Json entry = image(member.item);
      entry["level"] = duplicate_level_name(member.level);
      entry["distance"] = member.distance;
      members.push_back(std::move(entry));
    }
    groups.push_back({{"keep", image(group.keeper)}, {"duplicates", std::move(members)}});
  }
  return groups;
}

void print_found(const DedupArguments& a, const DedupInput& input, const Found& found) {
  if (found.calibration) print_calibration(*found.calibration);
  std::map<DuplicateLevel, std::size_t> count;
  for (const DuplicateGroup& group : found.groups)
    for (const DuplicateMember& member : group.members) ++count[member.level];
  std::cout << with_commas(input.set.items.size() - input.reference) << " images";
  if (input.reference > 0) std::cout << " against " << with_commas(input.reference);
  std::cout << ", " << with_commas(found.groups.size()) << (found.groups.size() == 1 ? " group" : " groups");
  if (parse_duplicate_level(a.level) >= DuplicateLevel::kNear)
    std::cout << " within " << radii_text(found.radius, found.more_radius);
  std::cout << '\n';
  std::vector<std::vector<std::string>> rows = {{"level", "images beside the one that stays"}};
  for (const auto& [level, n] : count) rows.push_back({duplicate_level_name(level), with_commas(n)});
  if (rows.size() > 1) print_table(rows);
}

int run_find(Arguments words) {
  DedupArguments a;
  if (!parse_dedup(words, a)) return 0;
  catch_interrupts();
  Meter meter("dedup", a.quiet);
  const ProgressFn progress = meter.callback();
  DedupInput input(a, progress);
  const Found found = find(a, input, progress);
  meter.clear();
  for (const std::string& remark : input.remarks) note("dedup", remark);
  // Each once: a picture may be read for its sharpness, its pixels and pairs.
  const std::set<std::pair<std::string, std::string>> skipped(input.skipped.begin(), input.skipped.end());
  for (const auto& [key, reason] : skipped) note_skipped("dedup", key, reason);
  const std::string out = a.plan_path();
  if (interrupted()) fail(ErrorCode::kCancelled, "stopped on request; nothing was written");
  const DedupPlan plan = make_plan(a, input, found);
  std::size_t files = 0;
  const std::uint64_t bytes = bytes_of(plan, files);
  const bool write = files > 0 || !a.out.empty();
  // The result first: looking took longer than writing, and the disk may be full.
  if (a.json) {
    print_json({{"level", a.level},
                {"method", input.method},
                {"radius", found.radius},
                {"more_radius", found.more_radius ? Json(*found.more_radius) : Json()},
                {"likeness", found.likeness < 0 ? Json() : Json(found.likeness)},
                {"calibration", found.calibration_text.empty() ? Json() : Json::parse(found.calibration_text)},
                {"images", input.set.items.size() - input.reference},
                {"reference", input.reference},
                {"skipped", skipped.size()},
                {"in_trash", input.in_trash},
                {"plan", write ? Json(out) : Json()},
                {"files", files},
                {"bytes_saved", bytes},
                {"groups", to_json(input, found)}});
  } else {
    print_found(a, input, found);
  }
  if (write) write_plan(real_file_system(), out, plan);
  if (write && !a.json) {
    std::cout << "wrote " << out << " and " << out << ".list: moving " << with_commas(files) << (files == 1 ? " file" : " files")
              << " away saves " << human_bytes(bytes) << "; signet dedup apply " << out << " does it\n";
  }
  return 0;
}

int run_apply(Arguments words) {
  std::string path;
  bool json = false, quiet = false;
  Options options("dedup apply", "Moves the files of a plan to its trash folder. Nothing is deleted.",
                  "signet dedup apply plan.json");
  options->text("PLAN", path, "written by signet dedup", "", Need::kRequired);
  options->json(json);
  options->quiet(quiet);
  if (!options.parse(words)) return 0;
  const DedupPlan plan = read_plan(real_file_system(), path);
  catch_interrupts();
  Meter meter("dedup apply", quiet);
  const ApplyResult result = apply_plan(real_file_system(), plan, meter.callback());
  meter.clear();
  if (json) {
    print_json(
        {{"moved", result.moved}, {"already", result.already}, {"bytes_saved", result.bytes_saved}, {"trash", plan.trash}});
  } else {
    std::cout << with_commas(result.moved) << (result.moved == 1 ? " file" : " files") << " moved to " << plan.trash << ", "
              << human_bytes(result.bytes_saved) << " saved once that folder is emptied; signet dedup undo " << path
              << " brings them back\n";
  }
  return 0;
}

int run_undo(Arguments words) {
  std::string path;
  bool json = false;
  Options options("dedup undo", "Moves everything that dedup apply has moved back to where it was.",
                  "signet dedup undo plan.json");
  options->text("PLAN", path, "the plan that was applied, or its trash folder", "", Need::kRequired);
  options->json(json);
  if (!options.parse(words)) return 0;
  const std::string trash = stamp_of(path) ? read_plan(real_file_system(), path).trash : path;
  const UndoResult result = undo_moves(real_file_system(), trash);
  if (json)
    print_json({{"restored", result.restored}, {"bytes", result.bytes}, {"occupied", result.occupied}});
  else
    std::cout << with_commas(result.restored) << (result.restored == 1 ? " file is" : " files are") << " back where they were\n";
  if (!result.occupied.empty()) {
    fail(ErrorCode::kMismatch, result.occupied.front(),
         result.occupied.size() > 1 ? concat(" and ", result.occupied.size() - 1, " others exist") : " exists",
         " again and were not overwritten; what was moved away from there is still in ", trash);
  }
  return 0;
}

int run_verdict(Arguments words) {
  std::string collection;
  std::vector<std::string> keys;
  bool yes = false, no = false, forget = false;
  Options options("dedup verdict", "Keeps what you know about two pictures of a collection, so that dedup does not ask again.",
                  "signet dedup verdict --collection photos.signet --not-duplicate /photos/1.jpg /photos/2.jpg");
  options->text("--collection", collection, "the collection that holds both", "DIR", Need::kRequired);
  options->texts("KEY", keys, "the two pictures, by key", "");
  options->flag("--duplicate", yes, "they show the same picture");
  options->flag("--not-duplicate", no, "they do not");
  options->flag("--forget", forget, "take back what was said");
  if (!options.parse(words)) return 0;
  if (keys.size() != 2 || yes + no + forget != 1)
    fail(ErrorCode::kUsage, "give two keys and one of --duplicate, --not-duplicate and --forget");
  const auto writer = CollectionWriter::open(real_file_system(), collection);
  std::vector<std::uint64_t> ids;
  for (std::string& key : keys) {
    const auto record = find_key([&](const std::string& name) { return writer->find(name); }, key);
    if (!record) fail(ErrorCode::kNotFound, "key \"", printable(key), "\" is not in the collection ", collection);
    ids.push_back(record->id);
  }
  const Verdict verdict{ids[0], ids[1], yes};
  if (!forget)
    writer->set_verdicts(std::span(&verdict, 1));
  else if (writer->erase_verdicts(std::span(&verdict, 1)) == 0)
    fail(ErrorCode::kNotFound, "nothing was said about these two pictures in ", collection);
  std::cout << collection << ": " << (forget ? "forgotten" : yes ? "kept: the same picture" : "kept: not duplicates") << '\n';
  return 0;
}

}  // namespace

int run_dedup(Arguments words) {
  if (!words.empty() && words.front() == "apply") return run_apply(words.subspan(1));
  if (!words.empty() && words.front() == "undo") return run_undo(words.subspan(1));
  if (!words.empty() && words.front() == "verdict") return run_verdict(words.subspan(1));
  return run_find(words);
}

}  // namespace signet::cli
