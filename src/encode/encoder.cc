#include "signet/encode/encoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "encode/encoder_state.h"

namespace signet {
namespace {

OutputSizes sizes_of(const Network& network) {
  const std::vector<LayerShape> shapes = check_network(network);
  const auto size = [&](int index) { return index < 0 ? std::size_t{0} : shapes[static_cast<std::size_t>(index)].size(); };
  return {size(network.hash), size(network.features), size(network.logits)};
}

std::size_t thread_count(const EncoderOptions& options) {
  constexpr std::size_t kMost = 1024;
  if (options.threads > kMost) {
    fail(ErrorCode::kUsage, "the encoder was asked to use ", options.threads, " threads, it takes 0 (one per CPU) to ", kMost);
  }
  return options.threads == 0 ? available_cpus() : options.threads;
}

}  // namespace

Worker::Worker(const Engine& engine, const ModelInfo& info, const OutputSizes& sizes, const std::string& name)
    : info_(info),
      name_(name),
      sizes_(sizes),
      batch_(engine.batch()),
      image_size_(info.preprocessing.shape().size()),
      session_(engine.make_session()),
      input_(batch_ * image_size_),
      hash_(batch_ * sizes.hash),
      features_(batch_ * sizes.features),
      logits_(batch_ * sizes.logits) {}

void Worker::run(std::span<const Image> images, Outputs& out, std::size_t first) {
  const std::size_t views = info_.preprocessing.mirror_view ? 2 : 1;
  const std::size_t total = images.size() * views;
  const Session::Targets targets{out.hash.empty() ? nullptr : hash_.data(), out.features.empty() ? nullptr : features_.data(),
                                 out.logits.empty() ? nullptr : logits_.data()};
  for (std::size_t begin = 0; begin < total; begin += batch_) {
    const std::size_t used = std::min(batch_, total - begin);
    for (std::size_t slot = 0; slot < used; ++slot) {
      const std::size_t view = begin + slot;
      preprocess(images[view / views], info_.preprocessing, input_.data() + slot * image_size_, view % views == 1);
    }
    std::fill(input_.begin() + static_cast<std::ptrdiff_t>(used * image_size_), input_.end(), 0.0f);
    session_->run(input_.data(), targets);
    for (std::size_t slot = 0; slot < used; ++slot) {
      const std::size_t view = begin + slot;
      store(slot, first + view / views, view % views == 1, out);
    }
  }
}

void Worker::store(std::size_t slot, std::size_t row, bool second_view, Outputs& out) const {
  const auto put = [&](const std::vector<float>& from, std::size_t size, std::vector<float>& to) {
    if (to.empty()) return;
    const float* source = from.data() + slot * size;
    float* target = to.data() + row * size;
    for (std::size_t i = 0; i < size; ++i) target[i] = second_view ? (target[i] + source[i]) * 0.5f : source[i];
    // Weights are finite in every model that can be read; what they make of a picture need not be.
    if (!std::all_of(target, target + size, [](float value) { return std::isfinite(value); }))
      fail(ErrorCode::kCorrupt, name_,
           ": this model gives values that are no numbers, so pictures have no codes; its weights are ",
           "too large, and another model is needed");
  };
  put(hash_, sizes_.hash, out.hash);
  put(features_, sizes_.features, out.features);
  put(logits_, sizes_.logits, out.logits);
}

EncoderState::EncoderState(Model m, const EncoderOptions& options)
    : model(std::move(m)),
      sizes(sizes_of(model.network)),
      engine(make_engine(options.engine, model.network)),
      pool(thread_count(options)) {}

EncoderState::Lease::Lease(EncoderState& state) : state_(state) {
  {
    const std::lock_guard lock(state.mutex_);
    if (!state.shelf_.empty()) {
      worker_ = std::move(state.shelf_.back());
      state.shelf_.pop_back();
    }
  }
  if (!worker_) worker_ = std::make_unique<Worker>(*state.engine, state.model.info, state.sizes, state.name);
}

EncoderState::Lease::~Lease() {
  const std::lock_guard lock(state_.mutex_);
  state_.shelf_.push_back(std::move(worker_));
}

Outputs EncoderState::make_outputs(std::size_t count, unsigned want) const {
  Outputs out;
  out.count = count;
  if ((want & Encoder::kHash) != 0) out.hash.resize(count * sizes.hash);
  if ((want & Encoder::kFeatures) != 0) out.features.resize(count * sizes.features);
  if ((want & Encoder::kLogits) != 0) out.logits.resize(count * sizes.logits);
  return out;
}

Encoder Encoder::open(FileSystem& fs, const std::string& path, const EncoderOptions& options) {
  Encoder encoder(read_model(fs, path), options);
  encoder.state_->name = path;
  return encoder;
}

Encoder::Encoder(Model model, const EncoderOptions& options) {
  const std::uint32_t bits = model.info.bits;
  check_preprocessing(model.info.preprocessing, "the model");
  check_input(model.info.preprocessing, model.network);
  state_ = std::make_unique<EncoderState>(std::move(model), options);
  if (state_->sizes.hash != bits) {
    fail(ErrorCode::kInvalidArgument, "the model says ", bits, " bits, its hash layer gives ", state_->sizes.hash);
  }
  if (state_->model.info.fingerprint.empty())
    state_->model.info.fingerprint = model_fingerprint(state_->model.network, state_->model.info.preprocessing);
  state_->name = state_->model.info.fingerprint.substr(0, 12);
}

Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

const ModelInfo& Encoder::info() const noexcept { return state_->model.info; }
const Network& Encoder::network() const noexcept { return state_->model.network; }
std::size_t Encoder::feature_size() const noexcept { return state_->sizes.features; }
std::size_t Encoder::classes() const noexcept { return state_->sizes.logits; }

std::string Encoder::engine() const {
  return concat(state_->engine->name(), ", ", state_->pool.size(), state_->pool.size() == 1 ? " thread" : " threads");
}

Outputs Encoder::run(std::span<const Image> images, unsigned want) const {
  Outputs out = state_->make_outputs(images.size(), want);
  const auto body = [&](std::size_t begin, std::size_t end, std::size_t) {
    const EncoderState::Lease worker(*state_);
    worker->run(images.subspan(begin, end - begin), out, begin);
  };
  if (images.size() == 1) {
    body(0, 1, 0);  // no thread needs to be woken
  } else {
    constexpr std::size_t kGrain = 8;  // a few images share the way to a worker, but not where that would leave threads idle
    state_->pool.parallel_for(images.size(), std::clamp(images.size() / state_->pool.size(), std::size_t{1}, kGrain), body);
  }
  return out;
}

}  // namespace signet
