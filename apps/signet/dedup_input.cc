#include "apps/signet/dedup_input.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"
#include "signet/dedup/plan.h"
#include "signet/store/collection.h"

namespace signet::cli {
namespace {

constexpr std::size_t kMostLooks = 20'000;  // thumbnails kept: 80 MB

bool needs_codes(DuplicateLevel level) { return level >= DuplicateLevel::kNear; }

// The poses beside the plain one: bit 2 mirrors, bits 0 and 1 count quarter turns.
std::vector<std::size_t> poses_of(const DedupArguments& arguments) {
  std::vector<std::size_t> poses;
  for (std::size_t pose = 1; pose < 8; ++pose) {
    const bool mirrored = pose & 4, turned = pose & 3;
    if ((!mirrored || arguments.mirrored) && (!turned || arguments.turned)) poses.push_back(pose);
  }
  return poses;
}

Image in_pose(Image image, std::size_t pose) {
  if (pose & 4) image = mirror(image);
  for (std::size_t turn = pose & 3; turn > 0; --turn) image = turn_quarter(image);
  return image;
}

// Of the picture in this pose: a thumbnail is square whatever the picture's shape, and turns as it does.
Thumbnail in_pose(const Thumbnail& look, std::size_t pose) {
  Image grey{Thumbnail::kSide, Thumbnail::kSide, 1, {}};
  for (const float value : look.grey) grey.pixels.push_back(static_cast<std::uint8_t>(value));  // they are whole numbers
  grey = in_pose(std::move(grey), pose);
  Thumbnail turned;
  std::copy(grey.pixels.begin(), grey.pixels.end(), turned.grey.begin());
  return turned;
}

CodeMatrix hash_codes(std::span<const Image> images, PictureHash kind) {
  CodeMatrix codes(0, kPictureHashBits);
  for (const Image& image : images) codes.append(picture_hash(image, kind));
  return codes;
}

// Does work(i) for `count` pictures in several threads, and returns those that an Error has left out, with its reason. After
// each of them one thread at a time tells of progress; where that says no, all stop.
std::vector<std::pair<std::size_t, std::string>> for_each_picture(std::size_t threads, const char* stage, std::size_t count,
                                                                  const std::function<void(std::size_t)>& work,
                                                                  const ProgressFn& progress) {
  std::vector<std::pair<std::size_t, std::string>> failed;
  std::size_t done = 0;
  std::mutex mutex;
  ThreadPool pool(threads);
  pool.parallel_for(count, 16, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      std::optional<std::string> reason;
      try {
        work(i);
      } catch (const Error& error) {
        reason = error.what();
      }
      const std::lock_guard lock(mutex);
      if (reason) failed.emplace_back(i, *reason);
      if (progress && !progress({stage, ++done, count, ""}))
        fail(ErrorCode::kCancelled, "stopped on request; nothing was written");
    }
  });
  return failed;
}

// Tells which pictures dedup has moved away: those below the plan's trash folder, or below a folder of `root` with a journal.
class MovedAway {
 public:
  MovedAway(const std::string& trash, const std::string& root) : trash_(trash + "/"), root_(root + "/") {}
  bool holds(const std::string& path) { return path.starts_with(trash_) || is_trash(parent_path(path)); }

 private:
  bool is_trash(const std::string& folder) {
    const auto [at, fresh] = known_.try_emplace(folder, false);
    if (fresh)
      at->second = is_trash_folder(real_file_system(), folder) || (folder.starts_with(root_) && is_trash(parent_path(folder)));
    return at->second;
  }
  std::string trash_, root_;
  std::map<std::string, bool> known_;
};

}  // namespace

Coder::Coder(const DedupArguments& arguments, const std::string& model) : threads_(arguments.threads) {
  const std::string hash = arguments.hash.empty() ? "phash" : arguments.hash;
  if (model.empty()) {
    if (hash == "none") fail(ErrorCode::kUsage, "--hash none leaves a model's codes alone; it needs --model FILE");
    hash_ = parse_picture_hash(hash);
    return;
  }
  encoder_.emplace(Encoder::open(real_file_system(), model, {arguments.threads, "auto"}));
  // A collection has its codes already, and pictures are not read for a hash that nobody has asked for.
  const bool wanted = arguments.hash.empty() ? arguments.collection.empty() && !arguments.radius : hash != "none";
  if (parse_duplicate_level(arguments.level) == DuplicateLevel::kNear && wanted) more_ = parse_picture_hash(hash);
  if (more_ && arguments.radius)
    fail(ErrorCode::kUsage,
         "--radius is of one kind of codes; give --hash none with it, or leave it out and both are calibrated");
}

std::string Coder::name() const { return encoder_ ? "model " + encoder_->info().fingerprint : picture_hash_name(hash_); }

std::string Coder::method() const { return more_ ? concat(name(), " + ", picture_hash_name(*more_)) : name(); }

CodeKind Coder::kind() const { return encoder_ ? code_kind(encoder_->info().training_record) : CodeKind::kNeither; }

CodeMatrix Coder::encode(std::span<const Image> images) const {
  if (encoder_) return pack_signs(encoder_->run(images).hash, encoder_->info().bits);
  return hash_codes(images, hash_);
}

CodeMatrix Coder::encode_more(std::span<const Image> images) const { return hash_codes(images, more_.value()); }

CodeMatrix Coder::encode_all(std::size_t count, const std::function<Image(std::size_t)>& load, std::vector<std::size_t>& taken,
                             std::vector<std::pair<std::size_t, std::string>>& skipped, const ProgressFn& progress) const {
  CodeMatrix codes(0, bits());
  if (encoder_) {
    const auto sink = [&](std::span<const std::size_t> indices, const Outputs& outputs) {
      const CodeMatrix block = pack_signs(outputs.hash, bits());
      for (std::size_t i = 0; i < indices.size(); ++i) codes.append(block.row(i));
      taken.insert(taken.end(), indices.begin(), indices.end());
    };
    for (const auto& one : signet::encode_all(*encoder_, count, load, sink, {}, progress).skipped)
      skipped.emplace_back(one.index, one.reason);
    return codes;
  }
  constexpr std::size_t kBlock = 1024;
  ThreadPool pool(threads_);
  std::vector<std::array<std::uint8_t, 8>> hashes(kBlock);
  std::vector<std::string> reasons(kBlock);
  for (std::size_t at = 0; at < count; at += kBlock) {
    const std::size_t size = std::min(kBlock, count - at);
    pool.parallel_for(size, 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) {
        reasons[i].clear();
        try {
          hashes[i] = picture_hash(load(at + i), hash_);
        } catch (const Error& error) {
          reasons[i] = error.what();
        }
      }
    });
    for (std::size_t i = 0; i < size; ++i) {
      if (!reasons[i].empty()) {
        skipped.emplace_back(at + i, reasons[i]);
        continue;
      }
      codes.append(hashes[i]);
      taken.push_back(at + i);
    }
    if (progress && !progress({"hash", at + size, count, ""}))
      fail(ErrorCode::kCancelled, "stopped on request; nothing was written");
  }
  return codes;
}

DedupInput::DedupInput(const DedupArguments& arguments, const ProgressFn& progress)
    : arguments_(arguments), level_(parse_duplicate_level(arguments.level)) {
  limits_.max_pixels = arguments.max_megapixels * 1'000'000;
  const bool anew = !arguments.model.empty() || !arguments.hash.empty() || arguments.collection.empty();
  if (needs_codes(level_) && anew) {
    coder_.emplace(arguments, arguments.model);
    check_kind();
    check_radius(coder_->bits());
    if (arguments.model.empty() && arguments.hash.empty())
      remarks.push_back(
          "comparing perceptual hashes (phash); --model with a model of signet train --supervision instance finds more copies");
  }
  if (!arguments.collection.empty()) read_from_collection(progress);
  if (!arguments.against.empty()) read_paths(arguments.against, progress);
  if (!arguments.against.empty() || (!arguments.collection.empty() && !arguments.paths.empty())) reference = set.items.size();
  read_paths(arguments.paths, progress);
  if (coder_) method = coder_->method();
  if (arguments.keep == "path")  // folders are named by where they are, which a key of a collection need not say
    for (std::size_t i = 0; i < set.items.size(); ++i)
      if (!set.items[i].key.starts_with('/')) set.items[i].file = absolute_path(path_of(i));
  if (level_ == DuplicateLevel::kSameBytes) tell_of_unknown_bytes();
  if (in_trash > 0)
    remarks.push_back(concat("left out ", in_trash, in_trash == 1 ? " picture" : " pictures",
                             " that dedup has moved away: in its trash folder, or beside a journal of dedup apply"));
}

void DedupInput::check_kind() {
  const CodeKind kind = coder_->kind();
  if (level_ == DuplicateLevel::kNear && kind == CodeKind::kClass) {
    fail(
        ErrorCode::kInvalidArgument, arguments_.model.empty() ? arguments_.collection : arguments_.model,
        " has codes of classes, which tell kinds of pictures apart and not one picture from another; use a model of signet train "
        "--supervision instance, --hash phash, or --level same-class");
  }
  if (level_ == DuplicateLevel::kSameClass && kind != CodeKind::kClass)
    fail(ErrorCode::kInvalidArgument, "--level same-class needs a model that was trained on classes, and ", coder_->name(),
         " was not");
  if (level_ == DuplicateLevel::kNear && kind == CodeKind::kUnknown)
    plan_nothing_near(coder_->name() + ", whose record does not say what it was trained for,");
}

void DedupInput::plan_nothing_near(const std::string& model) {
  kind_known = false;
  remarks.push_back(
      concat("whether the codes of ", model, " tell pictures or classes apart is not known, so that nothing is planned by them"));
}

void DedupInput::check_radius(std::uint32_t bits) const {
  if (arguments_.radius && *arguments_.radius > bits)
    fail(ErrorCode::kUsage, "--radius ", *arguments_.radius, " is beyond the ", bits, " bits of the codes; give 0 to ", bits);
}

void DedupInput::read_from_collection(const ProgressFn& progress) {
  const auto view = Collection::open(real_file_system(), arguments_.collection)->view();
  const CollectionInfo info = view->info();
  if (needs_codes(level_) && !coder_) open_model_of(info);
  set = read_collection(*view, progress);
  verdicts = view->verdicts();
  library_.emplace(info.root, limits_);
  leave_out_trash(info.root);
  forget_digests_of_pixels();
  if (coder_ && (coder_->name() != "model " + info.model || coder_->more()))
    encode_collection(progress);
  else if (arguments_.keep == "sharpest" && arguments_.paths.empty())  // else it is the reference, all of which stays
    measure_sharpness(progress);
}

// Where pictures lie in one file as pixels (idx, CIFAR), `signet add` keeps the SHA-256 of these and their number
// (PictureSource::load), which would be equal for pictures of other shapes. Looked for where the numbers allow it alone, and once
// a data set, however large the collection is.
void DedupInput::forget_digests_of_pixels() {
  std::map<std::string, bool> known;  // by the part of a path that exists
  const auto holds_pixels = [&](std::string path) {
    std::error_code ignored;
    while (path.size() > 1 && !std::filesystem::exists(path, ignored)) path = parent_path(path);
    const auto [at, fresh] = known.try_emplace(path, false);
    if (!fresh) return at->second;
    try {
      const auto format = detect_dataset_format(path);
      at->second = format == DatasetFormat::kIdx || format == DatasetFormat::kCifar;
    } catch (const Error&) {  // what cannot be looked at tells nothing
    }
    return at->second;
  };
  for (std::size_t i = 0; i < set.items.size(); ++i) {
    DedupItem& item = set.items[i];
    const std::uint64_t area = std::uint64_t{item.width} * item.height;
    if (area > 0 && (item.bytes == area || item.bytes == 3 * area) && holds_pixels(parent_path(path_of(i)))) item.sha256.clear();
  }
}

void DedupInput::tell_of_unknown_bytes() {
  const auto count = static_cast<std::size_t>(
      std::count_if(set.items.begin(), set.items.end(), [](const DedupItem& item) { return item.sha256.empty(); }));
  if (count > 0)
    remarks.push_back(concat("the bytes of ", counted(count, "picture"),
                             " are not known (they lie in an idx or CIFAR file, or their codes were ",
                             "imported without a SHA-256), so that no copies of ", count == 1 ? "it" : "them",
                             " are found; --level same-pixels compares the pictures"));
}

void DedupInput::measure_sharpness(const ProgressFn& progress) {
  const auto measure = [&](std::size_t i) { set.items[i].sharpness = sharpness(picture(i)); };
  for (const auto& [i, reason] : for_each_picture(arguments_.threads, "measure sharpness", set.items.size(), measure, progress))
    skipped.emplace_back(set.items[i].key, reason);
}

void DedupInput::open_model_of(const CollectionInfo& info) {
  check_radius(info.bits);
  if (!info.model_path.empty() && real_file_system().exists(info.model_path)) {
    coder_.emplace(arguments_, info.model_path);
    if (coder_->name() != "model " + info.model)
      fail(ErrorCode::kMismatch, arguments_.collection, " holds codes of model ", info.model, ", but ", info.model_path,
           " is another one now");
    return check_kind();
  }
  const std::string why =
      info.model_path.empty() ? ", which does not know where that is" : ", which is not at " + info.model_path + " any more";
  if (!arguments_.paths.empty())
    fail(ErrorCode::kNotFound, "the pictures of ", arguments_.paths.front(), " need codes of the model of ",
         arguments_.collection, why, "; give --model FILE");
  if (level_ == DuplicateLevel::kNear && !arguments_.radius)
    fail(ErrorCode::kUsage, "a radius can only be calibrated with the model of ", arguments_.collection, why,
         "; give --model FILE, or --radius R");
  method = "model " + info.model;
  plan_nothing_near(concat("the model of ", arguments_.collection, why, " and not given by --model,"));
}

void DedupInput::leave_out_trash(const std::string& root) {
  MovedAway moved(arguments_.trash_folder(), root);
  std::vector<std::size_t> here;
  std::vector<DedupItem> items;
  for (std::size_t i = 0; i < set.items.size(); ++i) {
    if (moved.holds(library_->path_of(set.items[i].key))) continue;
    here.push_back(i);
    items.push_back(std::move(set.items[i]));
  }
  in_trash += set.items.size() - here.size();
  if (here.size() < set.items.size()) set.codes = set.codes.rows(here);
  set.items = std::move(items);
}

void DedupInput::encode_collection(const ProgressFn& progress) {
  std::vector<std::size_t> taken;
  std::vector<std::pair<std::size_t, std::string>> missing;
  std::vector<std::array<std::uint8_t, 8>> hashes(coder_->more() ? set.items.size() : 0);
  const auto load = [&](std::size_t i) {
    std::string why;
    auto image = library_->find(set.items[i].key, &why);
    if (!image) fail(ErrorCode::kNotFound, set.items[i].key, ": ", why);
    set.items[i].pixels = pixel_digest(*image);
    if (arguments_.keep == "sharpest") set.items[i].sharpness = sharpness(*image);
    if (coder_->more()) hashes[i] = picture_hash(*image, *coder_->more());
    return std::move(*image);
  };
  CodeMatrix codes = coder_->encode_all(set.items.size(), load, taken, missing, progress);
  for (const auto& [i, reason] : missing) skipped.emplace_back(set.items[i].key, reason);
  std::vector<DedupItem> items;
  items.reserve(taken.size());
  if (coder_->more()) set.more_codes = CodeMatrix(0, kPictureHashBits);
  for (const std::size_t i : taken) {
    items.push_back(std::move(set.items[i]));
    if (coder_->more()) set.more_codes.append(hashes[i]);
  }
  set.items = std::move(items);
  set.codes = std::move(codes);
}

// Every pose has as many codes as there are items. Those of a collection stand there as they are in all poses: it is a reference,
// with whose codes the poses of others are compared.
void DedupInput::make_room_for_codes(std::size_t poses_wanted) {
  if (!coder_) return;
  if (set.codes.size() == 0) set.codes = CodeMatrix(0, coder_->bits());
  if (poses.empty()) poses.assign(poses_wanted, set.codes);
  if (!coder_->more()) return;
  if (set.more_codes.size() == 0) set.more_codes = CodeMatrix(0, kPictureHashBits);
  if (more_poses.empty()) more_poses.assign(poses_wanted, set.more_codes);
}

// One pass over the pictures: what the file says, digest, sharpness, and the codes of every pose.
void DedupInput::read_paths(const std::vector<std::string>& paths, const ProgressFn& progress) {
  const std::vector<std::size_t> poses_wanted = poses_of(arguments_);
  const auto more = coder_ ? coder_->more() : std::nullopt;
  make_room_for_codes(poses_wanted.size());
  for (const std::string& path : paths) {
    DataArguments data;
    data.path = path;
    data.max_megapixels = arguments_.max_megapixels;
    const auto source = std::make_shared<PictureSource>(data.open(&limits_), path);
    MovedAway moved(arguments_.trash_folder(), absolute_path(path));
    std::vector<std::size_t> here;  // positions in the source
    for (std::size_t i = 0; i < source->data().size(); ++i)
      if (!moved.holds(source->key(i))) here.push_back(i);
    in_trash += source->data().size() - here.size();
    const std::size_t count = here.size(), each = coder_ ? poses_wanted.size() + 1 : 1;
    std::vector<ImageRecord> records(count);
    std::vector<std::string> digests(count);
    std::vector<double> sharp(count, -1);
    std::vector<std::array<std::uint8_t, 8>> hashes(more ? count * each : 0);
    const auto load = [&](std::size_t i) {
      ImageRecord scratch, &record = i % each == 0 ? records[i / each] : scratch;
      record.key = source->key(here[i / each]);
      Image image = source->load(here[i / each], limits_, record);
      if (i % each != 0) image = in_pose(std::move(image), poses_wanted[i % each - 1]);
      if (more) hashes[i] = picture_hash(image, *more);
      if (i % each != 0) return image;
      if (!source->is_encoded(here[i / each])) record.sha256.clear();  // of pixels
      digests[i / each] = pixel_digest(image);
      if (arguments_.keep == "sharpest") sharp[i / each] = sharpness(image);
      return image;
    };
    std::vector<std::size_t> taken;
    std::vector<std::pair<std::size_t, std::string>> bad;
    if (coder_ && set.codes.bits() != coder_->bits())
      fail(ErrorCode::kMismatch, "codes of ", set.codes.bits(), " and of ", coder_->bits(), " bits cannot be compared");
    CodeMatrix codes;
    if (coder_) {
      codes = coder_->encode_all(count * each, load, taken, bad, progress);
    } else {
      bad = for_each_picture(arguments_.threads, "read", count, load, progress);
      for (const auto& [i, reason] : bad) records[i].key.clear();
      for (std::size_t i = 0; i < count; ++i)
        if (!records[i].key.empty()) taken.push_back(i);
    }
    for (const auto& [i, reason] : bad)
      if (i % each == 0) skipped.emplace_back(source->key(here[i / each]), reason);
    for (std::size_t t = 0; t < taken.size(); ++t) {
      const std::size_t pose = taken[t] % each, i = taken[t] / each;
      if (coder_) (pose == 0 ? set.codes : poses[pose - 1]).append(codes.row(t));
      if (more) (pose == 0 ? set.more_codes : more_poses[pose - 1]).append(hashes[taken[t]]);
      if (pose != 0) continue;
      const ImageRecord& r = records[i];
      places_.resize(set.items.size() + 1);
      places_.back() = {sources_.size(), here[i]};
      set.items.push_back({0, r.key, r.width, r.height, r.bytes, r.modified_ns, r.sha256, digests[i], sharp[i]});
    }
    sources_.push_back(source);
  }
}

std::string DedupInput::path_of(std::size_t item) const {
  const std::string& key = set.items[item].key;
  const std::string path = library_ ? library_->path_of(key) : key;
  return path.starts_with('/') ? path : absolute_path(path);
}

std::string DedupInput::file_of(std::size_t item) const {
  const std::string path = path_of(item);
  return stamp_of(path) ? path : "";
}

Image DedupInput::picture(std::size_t item) {
  const bool own = item < places_.size() && places_[item].source < sources_.size() &&
                   sources_[places_[item].source]->key(places_[item].position) == set.items[item].key;
  if (own) {
    ImageRecord record;
    record.key = set.items[item].key;
    return sources_[places_[item].source]->load(places_[item].position, limits_, record);
  }
  std::string why = "no such file";
  if (library_) {
    if (auto image = library_->find(set.items[item].key, &why)) return std::move(*image);
  }
  fail(ErrorCode::kNotFound, set.items[item].key, ": ", why);
}

const Thumbnail* DedupInput::look_at(std::size_t item) {
  const auto known = looks_.find(item);
  if (known != looks_.end()) return &known->second;
  if (unseen_.contains(item)) return nullptr;
  try {
    const Thumbnail look = make_thumbnail(picture(item));
    if (looks_.size() >= kMostLooks) looks_.clear();
    return &looks_.emplace(item, look).first->second;
  } catch (const Error& error) {
    unseen_.insert(item);
    skipped.emplace_back(set.items[item].key, error.what());
    return nullptr;
  }
}

// pose: its place among those that are asked for. A picture of a reference stands there as it is.
bool DedupInput::near_in_pose(std::size_t pose, std::size_t posed, std::size_t plain, const Nearness& wanted) const {
  if (hamming_distance(poses[pose].row(posed), set.codes.row(plain)) <= wanted.radius) return true;
  return wanted.more_radius && pose < more_poses.size() &&
         hamming_distance(more_poses[pose].row(posed), set.more_codes.row(plain)) <= *wanted.more_radius;
}

bool DedupInput::alike(std::size_t keeper, std::size_t item, const Nearness& wanted) {
  const Thumbnail* first = look_at(keeper);
  if (first == nullptr) return false;
  const Thumbnail kept = *first;  // looking at the other one may drop it
  const Thumbnail* other = look_at(item);
  if (other == nullptr) return false;
  if (likeness(kept, *other) >= wanted.likeness) return true;
  const std::vector<std::size_t> turns = poses_of(arguments_);
  for (std::size_t p = 0; p < poses.size(); ++p) {
    if (near_in_pose(p, keeper, item, wanted) && likeness(in_pose(kept, turns[p]), *other) >= wanted.likeness) return true;
    if (near_in_pose(p, item, keeper, wanted) && likeness(in_pose(*other, turns[p]), kept) >= wanted.likeness) return true;
  }
  return false;
}

Calibration DedupInput::calibrate_here(const CalibrationOptions& options) {
  CalibrationSource source;
  source.codes = &set.codes;
  source.load = [this](std::size_t i) { return picture(i); };
  source.encode = [this](std::span<const Image> images) { return coder_->encode(images); };
  if (coder_->more()) {
    source.more_codes = &set.more_codes;
    source.more_encode = [this](std::span<const Image> images) { return coder_->encode_more(images); };
  }
  return calibrate(source, options);
}

void DedupInput::fill_pixel_digests(const ProgressFn& progress) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::size_t>> by_size;
  for (std::size_t i = 0; i < set.items.size(); ++i) by_size[{set.items[i].width, set.items[i].height}].push_back(i);
  std::vector<std::size_t> todo;
  for (const auto& [size, items] : by_size)
    for (const std::size_t i : items)
      if (items.size() > 1 && set.items[i].pixels.empty()) todo.push_back(i);
  for (std::size_t t = 0; t < todo.size(); ++t) {
    if (t % 64 == 0 && progress && !progress({"compare pixels", t, todo.size(), ""}))
      fail(ErrorCode::kCancelled, "stopped on request; nothing was written");
    try {
      set.items[todo[t]].pixels = pixel_digest(picture(todo[t]));
    } catch (const Error& error) {
      skipped.emplace_back(set.items[todo[t]].key, error.what());
    }
  }
}

}  // namespace signet::cli
