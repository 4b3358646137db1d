#include "signet/serve/service.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <future>

#include "serve/labels.h"
#include "serve/service_state.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"

namespace signet {
namespace {

std::ptrdiff_t thread_count(std::size_t threads) {
  return static_cast<std::ptrdiff_t>(threads == 0 ? available_cpus() : threads);
}

std::string folder_name(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return file_name(path);
}

// Whether a writer could make its lock file there: not on a read-only disk, and not without the right.
bool may_write(const std::string& collection) { return ::faccessat(AT_FDCWD, collection.c_str(), W_OK | X_OK, AT_EACCESS) == 0; }

ImageRecord record_in(const CollectionState& state, std::uint64_t id) {
  auto record = state.view().get(id);
  if (!record) fail(ErrorCode::kNotFound, "there is no image with the id ", id);
  return std::move(*record);
}

}  // namespace

Service::State::State(FileSystem& fs_in, const ServiceOptions& options_in) : fs(fs_in), options(options_in) {
  ReaderOptions reader;
  reader.index = options.index;
  reader.build_threads = static_cast<std::size_t>(thread_count(options.threads));
  live = std::make_unique<LiveCollection>(Collection::open(fs, options.collection, reader), options.refresh_seconds);
  const auto now = live->state();
  const CollectionInfo& info = now->info();
  code_bits = info.bits;
  const bool known = !info.model_path.empty() && fs.exists(info.model_path);
  const std::string model = !options.model.empty() ? options.model : known ? info.model_path : std::string();
  if (!model.empty()) {
    // One thread a picture: the service has many pictures at once, not one picture with many threads.
    encoder = std::make_unique<Encoder>(Encoder::open(fs, model, {1, "auto"}));
    now->view().check_model(encoder->info().fingerprint, model);
    if (encoder->info().bits != code_bits) {  // a collection that knows no model takes any
      fail(ErrorCode::kMismatch, model, " gives codes of ", encoder->info().bits, " bits; those of ", options.collection,
           " have ", code_bits);
    }
  }
  std::vector<std::string> roots = options.roots;
  roots.push_back(info.root);
  DecodeLimits limits;
  limits.max_pixels = options.max_pixels;
  memory = std::make_unique<PictureMemory>(std::max(options.max_picture_memory, decoding_bytes(options.max_pixels)));
  pictures = std::make_unique<PictureSource>(roots, limits, *memory, options.collection);
  DuplicateFinder::Options finding;
  finding.threads = static_cast<std::size_t>((thread_count(options.threads) + 1) / 2);  // the others answer meanwhile
  finding.wait_seconds = options.duplicates_seconds;
  finding.memory_seconds = options.patient_memory_seconds;
  duplicates = std::make_unique<DuplicateFinder>(finding, *pictures);
  passes = std::make_unique<SearchPasses>(static_cast<std::size_t>(thread_count(options.threads)),
                                          [this](std::span<PassQuestion* const> questions) { answer(questions); });
  if (options.writable && may_write(options.collection))
    writer = std::make_unique<WriterLease>(fs, options.collection, options.writer_seconds);
}

ImageEntry Service::State::entry(const CollectionState& now, ImageRecord record) const {
  ImageEntry entry;
  entry.label = label_names(record.labels, now.info().class_names);
  entry.code = to_hex(now.view().code(record.id));
  entry.record = std::move(record);
  return entry;
}

DecodedPicture Service::State::decode(std::span<const std::byte> bytes, double wait_seconds) const {
  DecodeLimits limits;
  limits.max_pixels = options.max_pixels;
  if (encoder != nullptr) {
    // As every verb of the command line does, so that a picture gets the same code everywhere.
    const Preprocessing& how = encoder->info().preprocessing;
    limits.target_side = std::max(how.width, how.height);
  }
  try {
    const ImageHeader header = read_image_header(bytes, "the picture");
    const std::uint64_t pixels = std::uint64_t{header.width} * header.height;
    DecodedPicture picture;
    // One with too many pixels gets no memory: decode_image() refuses it, which no waiting changes.
    if (pixels <= limits.max_pixels) picture.memory = memory->take(decoding_bytes(pixels), wait_seconds);
    picture.image = decode_image(bytes, "the picture", limits);
    picture.memory.shrink(picture.image.pixels.size());
    return picture;
  } catch (const Error& error) {
    // Damage in what a client sends is the client's; kCorrupt is kept for the collection's own files.
    if (error.code() == ErrorCode::kCorrupt) throw Error(ErrorCode::kInvalidArgument, error.what());
    throw;
  }
}

void Service::State::check_encodes() const {
  if (encoder == nullptr) {
    fail(ErrorCode::kUsage,
         "this service has no model, so it cannot encode pictures; search by code or key, or start it with --model");
  }
}

std::vector<float> Service::State::outputs(DecodedPicture picture) const {
  check_encodes();
  const auto promise = std::make_shared<std::promise<std::vector<float>>>();  // the other thread may use it last
  auto question = std::make_unique<PassQuestion>();
  question->picture = std::move(picture);
  question->answered = [promise](PassQuestion& encoded) {
    if (encoded.error) {
      promise->set_exception(encoded.error);
    } else {
      promise->set_value(std::move(encoded.outputs));
    }
  };
  passes->ask(std::move(question));
  return promise->get_future().get();
}

void Service::State::check_limit(std::size_t limit, const char* remark) const {
  if (limit < 1 || limit > options.max_page)
    fail(ErrorCode::kInvalidArgument, "limit must be 1 to ", options.max_page, ", not ", limit, remark);
}

std::shared_ptr<const CollectionState> Service::State::newest() const {
  live->refresh();
  return live->state();
}

void Service::State::check_writable() const {
  if (writer == nullptr || stopped.load()) fail(ErrorCode::kUsage, "this service does not change its collection");
}

void Service::State::check_goes_on() const {
  if (given_up.load()) fail(ErrorCode::kBusy, "the service is being stopped; nothing of this change was stored");
}

Service::Service(FileSystem& fs, const ServiceOptions& options) : state_(std::make_unique<State>(fs, options)) {}

Service::~Service() { stop(); }

const ServiceOptions& Service::options() const noexcept { return state_->options; }

bool Service::ready() const noexcept { return !state_->stopped.load() && state_->live->is_newest(); }

std::string Service::failure() const { return state_->live->failure(); }

bool Service::writable() const noexcept { return state_->writer != nullptr; }

bool Service::can_encode() const noexcept { return state_->encoder != nullptr; }

std::size_t Service::searches_waiting() const { return state_->passes->waiting(); }

std::uint64_t Service::picture_bytes() const noexcept { return state_->memory->held(); }

std::size_t Service::pictures_waiting() const noexcept { return state_->memory->waiting(); }

CollectionInfo Service::info() const { return state_->live->state()->info(); }

std::string Service::training_record() const {
  return state_->encoder == nullptr ? std::string() : state_->encoder->info().training_record;
}

std::uint32_t Service::bits() const noexcept { return state_->code_bits; }

void Service::give_up() noexcept {
  state_->given_up.store(true);
  state_->duplicates->give_up();
}

void Service::stop() noexcept {
  state_->stopped.store(true);
  state_->duplicates->stop();
  if (state_->writer != nullptr) state_->writer->stop();
}

CollectionSummary Service::summary() const {
  const auto now = state_->live->state();
  CollectionSummary summary;
  summary.info = now->info();
  summary.name = folder_name(state_->options.collection);
  summary.writable = state_->writer != nullptr;
  const auto& names = summary.info.class_names;
  const auto counts = names.empty() ? nullptr : now->label_counts();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto count = counts->find(static_cast<std::int32_t>(i));
    summary.labels.emplace_back(label_name(static_cast<std::int32_t>(i), names), count == counts->end() ? 0 : count->second);
  }
  if (state_->encoder != nullptr) {
    const Preprocessing& how = state_->encoder->info().preprocessing;
    summary.can_encode = true;
    summary.training_record = training_record();
    summary.width = how.width;
    summary.height = how.height;
    summary.channels = how.channels;
  }
  return summary;
}

EncodedPicture Service::encode(std::span<const std::byte> picture) const {
  EncodedPicture encoded;
  encoded.outputs = state_->outputs(state_->decode(picture, state_->options.memory_seconds));
  encoded.code = to_hex(pack_signs(encoded.outputs, state_->encoder->info().bits).row(0));
  return encoded;
}

ImageEntry Service::image(const std::string& key) const {
  const auto now = state_->live->state();
  auto record = now->view().find(key);
  if (!record) fail(ErrorCode::kNotFound, "there is no image with this key");
  return state_->entry(*now, std::move(*record));
}

ImageEntry Service::image(std::uint64_t id) const {
  const auto now = state_->live->state();
  return state_->entry(*now, record_in(*now, id));
}

ImageRecord Service::record(std::uint64_t id) const { return record_in(*state_->live->state(), id); }

ImagesPage Service::images(const ImagesQuery& query) const {
  state_->check_limit(query.limit);
  const auto now = state_->live->state();
  const auto ids = query.label.empty() ? now->ids() : now->ids_with_label(find_label(query.label, now->info().class_names));
  ImagesPage page;
  page.total = ids->size();
  const auto after = static_cast<std::size_t>(std::upper_bound(ids->begin(), ids->end(), query.after) - ids->begin());
  const std::size_t first = after + std::min(query.offset, ids->size() - after);
  const std::size_t end = first + std::min(query.limit, ids->size() - first);
  for (std::size_t i = first; i < end; ++i) {
    if (auto record = now->view().get((*ids)[i])) page.images.push_back(state_->entry(*now, std::move(*record)));
  }
  if (end < ids->size() && end > first) page.next = (*ids)[end - 1];
  return page;
}

std::shared_ptr<const CodeMap> Service::map(std::size_t limit) const {
  constexpr std::size_t kMost = 100'000;
  if (limit < 1 || limit > kMost) fail(ErrorCode::kInvalidArgument, "limit must be 1 to ", kMost, ", not ", limit);
  return state_->live->state()->map(limit);
}

SmallPicture Service::thumbnail(const ImageRecord& record, std::uint32_t side) const {
  constexpr std::uint32_t kLeast = 16, kMost = 1024;
  if (side < kLeast || side > kMost) fail(ErrorCode::kInvalidArgument, "size must be ", kLeast, " to ", kMost, ", not ", side);
  DecodedPicture picture;
  try {
    picture = state_->pictures->load(record.key, side, state_->options.memory_seconds);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kBusy) throw;
    fail(ErrorCode::kNotFound, "the picture of this image cannot be read any more: ", error.what());
  }
  Image& image = picture.image;
  const std::uint32_t longest = std::max(image.width, image.height);
  // Small pictures stay as they are, pixel for pixel; the page enlarges them.
  if (longest <= side && longest <= 64) {
    const auto png = encode_png(image);
    return {{reinterpret_cast<const char*>(png.data()), png.size()}, "image/png"};
  }
  if (longest > side) {
    const auto scaled = [&](std::uint32_t length) {
      return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::lround(static_cast<double>(length) * side / longest)));
    };
    image = resize(image, scaled(image.width), scaled(image.height));
  }
  const auto jpeg = encode_jpeg(image, 85);
  return {{reinterpret_cast<const char*>(jpeg.data()), jpeg.size()}, "image/jpeg"};
}

}  // namespace signet
