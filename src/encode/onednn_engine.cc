#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <dnnl.hpp>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "encode/engine.h"
#include "encode/layer_kinds.h"
#include "encode/own_layers.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using Tag = memory::format_tag;

// Debian's oneDNN runs its loops with OpenMP. Each of our threads runs whole images by itself, which needs no synchronisation
// inside a layer and makes results independent of the thread count; so OpenMP gets one thread here, and the caller's setting back
// afterwards.
class OneOmpThread {
 public:
  OneOmpThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneOmpThread() { omp_set_num_threads(before_); }
  OneOmpThread(const OneOmpThread&) = delete;
  OneOmpThread& operator=(const OneOmpThread&) = delete;

 private:
  int before_;
};

template <typename F>
auto translate_errors(F&& f) {
  try {
    return f();
  } catch (const dnnl::error& e) {
    fail(ErrorCode::kInternal, "oneDNN: ", e.what(), " (status ", static_cast<int>(e.status), ")");
  }
}

// What an argument of a primitive is bound to when a session is made.
struct Operand {
  enum Kind { kInput, kValue, kConstant, kHash, kFeatures, kLogits } kind = kValue;
  std::size_t index = 0;  // kValue, kConstant
};

// What oneDNN does not have: reads DNNL_ARG_SRC and writes DNNL_ARG_DST, both plain.
using OwnStep = std::function<void(const float* source, float* target)>;

struct Step {
  dnnl::primitive primitive;
  std::vector<std::pair<int, Operand>> arguments;
  OwnStep own;  // in place of the primitive, where it is set
};

// An activation: its layout, and the slot of session memory that it lives in while it is needed.
struct Value {
  memory::desc desc;
  std::size_t slot = 0;
};

// The network as a list of oneDNN primitives, weights in the layouts that they want. Shared by all sessions, never written after
// construction.
struct Plan {
  std::size_t batch = 0;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::vector<Step> steps;
  std::vector<Value> values;
  std::vector<memory> constants;
  std::vector<std::size_t> slots;  // bytes
  std::size_t scratchpad = 0;      // bytes: the largest of all steps'
  memory::desc input;
  std::map<Operand::Kind, memory::desc> outputs;  // batch x size, plain
};

class PlanBuilder {
 public:
  PlanBuilder(const Network& network, std::size_t batch) : network_(network), shapes_(check_network(network)) {
    plan_.batch = batch;
    is_vector_ = vector_layers(network);
    fused_.assign(network.layers.size(), -1);
    for (std::size_t i = 0; i < network.layers.size(); ++i) find_fusion(i);
    count_uses();
  }
  Plan build();

 private:
  struct Source {  // where a layer's operand is
    Operand operand;
    memory::desc desc;
  };

  void find_fusion(std::size_t index);
  void count_uses();
  bool is_output(int index) const { return index == network_.hash || index == network_.features || index == network_.logits; }
  Source source(int index) const;
  memory::dims dims(int index) const;
  dnnl::primitive_attr attributes(std::size_t index) const;

  void layer(std::size_t index);
  void conv(std::size_t index);
  void linear(std::size_t index);
  void pool(std::size_t index);
  void elementwise(std::size_t index);
  void add(std::size_t index);
  void own(std::size_t index);
  void emit_outputs(std::size_t index);

  std::size_t new_value(const memory::desc& desc);
  void release(std::size_t value);
  void drop_use(int index);
  Source in_layout(const Source& from, const memory::desc& wanted, std::vector<std::size_t>& temporaries);
  std::size_t constant(const std::vector<float>& data, const memory::desc& plain, const memory::desc& wanted);
  void step(const dnnl::primitive& primitive, const memory::desc& scratchpad, std::vector<std::pair<int, Operand>> arguments);
  void reorder(const Source& from, const Source& to);

  const Network& network_;
  std::vector<LayerShape> shapes_;
  std::vector<bool> is_vector_;
  std::vector<int> fused_;             // of a conv or linear: the elementwise layer done in the same step; of that layer: -2
  std::vector<std::size_t> uses_;      // how many layers still read a layer's value
  std::vector<std::size_t> value_of_;  // by layer
  std::vector<std::size_t> free_slots_;
  Plan plan_;
};

memory::dim dim(std::size_t v) { return static_cast<memory::dim>(v); }

bool is_elementwise(LayerKind kind) { return kind == LayerKind::kGelu || kind == LayerKind::kRelu || kind == LayerKind::kTanh; }

algorithm elementwise_algorithm(LayerKind kind) {
  if (kind == LayerKind::kGelu) return algorithm::eltwise_gelu_erf;
  return kind == LayerKind::kRelu ? algorithm::eltwise_relu : algorithm::eltwise_tanh;
}

// A conv or linear layer whose one reader is elementwise, and which is no output itself, takes that reader into its own inner
// loop.
void PlanBuilder::find_fusion(std::size_t index) {
  const LayerKind kind = network_.layers[index].kind;
  if ((kind != LayerKind::kConv && kind != LayerKind::kLinear) || is_output(static_cast<int>(index))) return;
  int reader = -1;
  for (std::size_t j = index + 1; j < network_.layers.size(); ++j) {
    const Layer& layer = network_.layers[j];
    const bool reads =
        layer.input == static_cast<int>(index) || (layer.kind == LayerKind::kAdd && layer.other == static_cast<int>(index));
    if (!reads) continue;
    if (reader != -1 || !is_elementwise(layer.kind)) return;
    reader = static_cast<int>(j);
  }
  if (reader == -1) return;
  fused_[index] = reader;
  fused_[static_cast<std::size_t>(reader)] = -2;
}

void PlanBuilder::count_uses() {
  uses_.assign(network_.layers.size(), 0);
  for (const Layer& layer : network_.layers) {
    if (layer.input >= 0) ++uses_[static_cast<std::size_t>(layer.input)];
    if (layer.kind == LayerKind::kAdd && layer.other >= 0) ++uses_[static_cast<std::size_t>(layer.other)];
  }
}

memory::dims PlanBuilder::dims(int index) const {
  const LayerShape s = input_shape(network_, shapes_, index);
  if (index >= 0 && is_vector_[static_cast<std::size_t>(index)]) return {dim(plan_.batch), dim(s.c)};
  return {dim(plan_.batch), dim(s.c), dim(s.h), dim(s.w)};
}

PlanBuilder::Source PlanBuilder::source(int index) const {
  if (index < 0) return {{Operand::kInput, 0}, plan_.input};
  const std::size_t value = value_of_[static_cast<std::size_t>(index)];
  return {{Operand::kValue, value}, plan_.values[value].desc};
}

dnnl::primitive_attr PlanBuilder::attributes(std::size_t index) const {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // else primitives would not be safe to share between threads
  if (fused_[index] >= 0) {
    dnnl::post_ops post;
    post.append_eltwise(1.0f, elementwise_algorithm(network_.layers[static_cast<std::size_t>(fused_[index])].kind), 0.0f, 0.0f);
    attr.set_post_ops(post);
  }
  return attr;
}

// The smallest free slot that is large enough, or the largest free one grown, or a new one.
std::size_t PlanBuilder::new_value(const memory::desc& desc) {
  const std::size_t bytes = desc.get_size();
  auto best = free_slots_.end();
  for (auto it = free_slots_.begin(); it != free_slots_.end(); ++it) {
    if (best == free_slots_.end()) {
      best = it;
      continue;
    }
    const std::size_t a = plan_.slots[*it], b = plan_.slots[*best];
    if (b < bytes ? a > b : a >= bytes && a < b) best = it;
  }
  std::size_t slot = plan_.slots.size();
  if (best != free_slots_.end()) {
    slot = *best;
    free_slots_.erase(best);
    plan_.slots[slot] = std::max(plan_.slots[slot], bytes);
  } else {
    plan_.slots.push_back(bytes);
  }
  plan_.values.push_back({desc, slot});
  return plan_.values.size() - 1;
}

void PlanBuilder::release(std::size_t value) { free_slots_.push_back(plan_.values[value].slot); }

void PlanBuilder::drop_use(int index) {
  if (index >= 0 && --uses_[static_cast<std::size_t>(index)] == 0) release(value_of_[static_cast<std::size_t>(index)]);
}

void PlanBuilder::step(const dnnl::primitive& primitive, const memory::desc& scratchpad,
                       std::vector<std::pair<int, Operand>> arguments) {
  plan_.scratchpad = std::max(plan_.scratchpad, scratchpad.get_size());
  plan_.steps.push_back({primitive, std::move(arguments), {}});
}

void PlanBuilder::reorder(const Source& from, const Source& to) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc pd(plan_.engine, from.desc, plan_.engine, to.desc, attr);
  step(dnnl::reorder(pd), pd.scratchpad_desc(), {{DNNL_ARG_FROM, from.operand}, {DNNL_ARG_TO, to.operand}});
}

// The operand in the layout that a primitive wants: itself, or a copy that lives for this step.
PlanBuilder::Source PlanBuilder::in_layout(const Source& from, const memory::desc& wanted,
                                           std::vector<std::size_t>& temporaries) {
  if (from.desc == wanted) return from;
  const std::size_t value = new_value(wanted);
  temporaries.push_back(value);
  const Source to{{Operand::kValue, value}, wanted};
  reorder(from, to);
  return to;
}

// Weights are brought into the wanted layout once, here.
std::size_t PlanBuilder::constant(const std::vector<float>& data, const memory::desc& plain, const memory::desc& wanted) {
  memory source(plain, plan_.engine, const_cast<float*>(data.data()));  // only read
  memory target(wanted, plan_.engine);
  dnnl::stream stream(plan_.engine);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  plan_.constants.push_back(target);
  return plan_.constants.size() - 1;
}

void PlanBuilder::conv(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const LayerShape in = input_shape(network_, shapes_, layer.input);
  const memory::dims stride{layer.stride, layer.stride}, pad{layer.pad, layer.pad},
      weight{layer.out, in.c, layer.kernel, layer.kernel};
  const auto any = [](const memory::dims& d) { return memory::desc(d, memory::data_type::f32, Tag::any); };
  const Source from = source(layer.input);
  const memory::desc bias({layer.out}, memory::data_type::f32, Tag::x);
  // The plain image is read as it is; everything else in the layout that the convolution likes best.
  const memory::desc src = layer.input < 0 && in.c <= 4 ? from.desc : any(dims(layer.input));
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference, algorithm::convolution_direct, src, any(weight),
                                             bias, any(dims(static_cast<int>(index))), stride, pad, pad);
  const dnnl::convolution_forward::primitive_desc pd(desc, attributes(index), plan_.engine);
  std::vector<std::size_t> temporaries;
  const Source ready = in_layout(from, pd.src_desc(), temporaries);
  const std::size_t w = constant(layer.weight, memory::desc(weight, memory::data_type::f32, Tag::oihw), pd.weights_desc());
  const std::size_t b = constant(layer.bias, bias, pd.bias_desc());
  value_of_[index] = new_value(pd.dst_desc());
  step(dnnl::convolution_forward(pd), pd.scratchpad_desc(),
       {{DNNL_ARG_SRC, ready.operand},
        {DNNL_ARG_WEIGHTS, {Operand::kConstant, w}},
        {DNNL_ARG_BIAS, {Operand::kConstant, b}},
        {DNNL_ARG_DST, {Operand::kValue, value_of_[index]}}});
  for (const std::size_t t : temporaries) release(t);
}

void PlanBuilder::linear(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const Source from = source(layer.input);
  memory::dims weight = dims(layer.input);
  weight[0] = layer.out;
  const memory::desc plain(weight, memory::data_type::f32, weight.size() == 2 ? Tag::ab : Tag::abcd);
  const memory::desc bias({layer.out}, memory::data_type::f32, Tag::x);
  const auto any = [](const memory::dims& d) { return memory::desc(d, memory::data_type::f32, Tag::any); };
  const dnnl::inner_product_forward::desc desc(dnnl::prop_kind::forward_inference, any(dims(layer.input)), any(weight), bias,
                                               any(dims(static_cast<int>(index))));
  const dnnl::inner_product_forward::primitive_desc pd(desc, attributes(index), plan_.engine);
  std::vector<std::size_t> temporaries;
  const Source ready = in_layout(from, pd.src_desc(), temporaries);
  const std::size_t w = constant(layer.weight, plain, pd.weights_desc());
  const std::size_t b = constant(layer.bias, bias, pd.bias_desc());
  value_of_[index] = new_value(pd.dst_desc());
  step(dnnl::inner_product_forward(pd), pd.scratchpad_desc(),
       {{DNNL_ARG_SRC, ready.operand},
        {DNNL_ARG_WEIGHTS, {Operand::kConstant, w}},
        {DNNL_ARG_BIAS, {Operand::kConstant, b}},
        {DNNL_ARG_DST, {Operand::kValue, value_of_[index]}}});
  for (const std::size_t t : temporaries) release(t);
}

void PlanBuilder::pool(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const LayerShape in = input_shape(network_, shapes_, layer.input);
  const bool global = layer.kind != LayerKind::kMaxPool;
  const memory::dims kernel = global ? memory::dims{in.h, in.w} : memory::dims{layer.kernel, layer.kernel};
  const memory::dims stride = global ? memory::dims{1, 1} : memory::dims{layer.stride, layer.stride};
  // oneDNN wants the windows to tile the picture: what the floor leaves over at the right and the bottom is a negative padding.
  const LayerShape out = shapes_[index];
  const memory::dims left{0, 0};
  const memory::dims right{(out.h - 1) * stride[0] + kernel[0] - in.h, (out.w - 1) * stride[1] + kernel[1] - in.w};
  const algorithm how = layer.kind == LayerKind::kGlobalAvgPool ? algorithm::pooling_avg_exclude_padding : algorithm::pooling_max;
  const Source from = source(layer.input);
  const dnnl::pooling_forward::desc desc(dnnl::prop_kind::forward_inference, how, from.desc,
                                         memory::desc(dims(static_cast<int>(index)), memory::data_type::f32, Tag::any), stride,
                                         kernel, left, right);
  const dnnl::pooling_forward::primitive_desc pd(desc, attributes(index), plan_.engine);
  value_of_[index] = new_value(pd.dst_desc());
  step(dnnl::pooling_forward(pd), pd.scratchpad_desc(),
       {{DNNL_ARG_SRC, from.operand}, {DNNL_ARG_DST, {Operand::kValue, value_of_[index]}}});
}

void PlanBuilder::elementwise(std::size_t index) {
  const Layer& layer = network_.layers[index];
  if (fused_[index] == -2) {  // done: the value goes on under this layer's number
    value_of_[index] = value_of_[static_cast<std::size_t>(layer.input)];
    return;
  }
  const Source from = source(layer.input);
  const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, elementwise_algorithm(layer.kind), from.desc, 0.0f,
                                         0.0f);
  const dnnl::eltwise_forward::primitive_desc pd(desc, attributes(index), plan_.engine);
  value_of_[index] = new_value(pd.dst_desc());
  step(dnnl::eltwise_forward(pd), pd.scratchpad_desc(),
       {{DNNL_ARG_SRC, from.operand}, {DNNL_ARG_DST, {Operand::kValue, value_of_[index]}}});
}

void PlanBuilder::add(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const Source first = source(layer.input);
  std::vector<std::size_t> temporaries;
  const Source second = in_layout(source(layer.other), first.desc, temporaries);
  const dnnl::binary::desc desc(algorithm::binary_add, first.desc, second.desc, first.desc);
  const dnnl::binary::primitive_desc pd(desc, attributes(index), plan_.engine);
  value_of_[index] = new_value(pd.dst_desc());
  step(dnnl::binary(pd), pd.scratchpad_desc(),
       {{DNNL_ARG_SRC_0, first.operand}, {DNNL_ARG_SRC_1, second.operand}, {DNNL_ARG_DST, {Operand::kValue, value_of_[index]}}});
  for (const std::size_t t : temporaries) release(t);
}

// Sine, radial functions and trees. The layer is copied: a plan outlives the network that it was made from.
void PlanBuilder::own(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const Source from = source(layer.input);
  const memory::dims d = dims(layer.input);
  std::vector<std::size_t> temporaries;
  const Source plain = in_layout(from, memory::desc(d, memory::data_type::f32, d.size() == 2 ? Tag::ab : Tag::abcd), temporaries);
  const memory::dims to = dims(static_cast<int>(index));
  value_of_[index] = new_value(memory::desc(to, memory::data_type::f32, to.size() == 2 ? Tag::ab : Tag::abcd));
  const std::size_t in = input_shape(network_, shapes_, layer.input).size(), batch = plan_.batch;
  OwnStep run = [layer, in, batch](const float* x, float* y) {
    for (std::size_t n = 0; n < batch; ++n, x += in) y = run_own_layer(layer, {x, in}, y);
  };
  plan_.steps.push_back(
      {{}, {{DNNL_ARG_SRC, plain.operand}, {DNNL_ARG_DST, {Operand::kValue, value_of_[index]}}}, std::move(run)});
  for (const std::size_t t : temporaries) release(t);
}

void PlanBuilder::layer(std::size_t index) {
  switch (network_.layers[index].kind) {
    case LayerKind::kConv:
      return conv(index);
    case LayerKind::kLinear:
      return linear(index);
    case LayerKind::kMaxPool:
    case LayerKind::kGlobalMaxPool:
    case LayerKind::kGlobalAvgPool:
      return pool(index);
    case LayerKind::kGelu:
    case LayerKind::kRelu:
    case LayerKind::kTanh:
      return elementwise(index);
    case LayerKind::kAdd:
      return add(index);
    case LayerKind::kSine:
    case LayerKind::kRadial:
    case LayerKind::kTrees:
      return own(index);
  }
}

// Outputs leave in plain order as soon as they are there, so no value is kept for the end.
void PlanBuilder::emit_outputs(std::size_t index) {
  const auto emit = [&](int output, Operand::Kind kind) {
    if (output != static_cast<int>(index)) return;
    const memory::dims d = dims(output);
    const memory::desc plain(d, memory::data_type::f32, d.size() == 2 ? Tag::ab : Tag::abcd);
    plan_.outputs[kind] = plain;
    reorder(source(output), {{kind, 0}, plain});
  };
  emit(network_.hash, Operand::kHash);
  emit(network_.features, Operand::kFeatures);
  emit(network_.logits, Operand::kLogits);
}

Plan PlanBuilder::build() {
  plan_.input = memory::desc(dims(-1), memory::data_type::f32, Tag::nchw);
  value_of_.assign(network_.layers.size(), 0);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& current = network_.layers[i];
    layer(i);
    emit_outputs(i);
    if (fused_[i] != -2) {  // a fused layer's value is its operand's: nothing to give back yet
      drop_use(current.input);
      if (current.kind == LayerKind::kAdd) drop_use(current.other);
    }
    if (uses_[i] == 0) release(value_of_[i]);
  }
  return std::move(plan_);
}

// Room for one thread: activations, scratchpad, and the arguments of every step bound to them.
class OnednnSession final : public Session {
 public:
  explicit OnednnSession(const Plan& plan) : plan_(plan), stream_(plan.engine) {
    for (const std::size_t bytes : plan.slots) slots_.push_back(allocate(bytes));
    scratchpad_ = allocate(plan.scratchpad);
    input_ = memory(plan.input, plan.engine, nullptr);
    for (const auto& [kind, desc] : plan.outputs) outputs_.emplace(kind, memory(desc, plan.engine, nullptr));
    for (const Step& step : plan.steps) bind(step);
  }

  void run(const float* input, const Targets& targets) override {
    translate_errors([&] {
      const OneOmpThread one;
      input_.set_data_handle(const_cast<float*>(input));  // only read
      set_output(Operand::kHash, targets.hash);
      set_output(Operand::kFeatures, targets.features);
      set_output(Operand::kLogits, targets.logits);
      for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
        if (wanted(plan_.steps[i], targets)) execute(i);
      }
      stream_.wait();
    });
  }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  using Buffer = std::unique_ptr<void, Free>;

  static Buffer allocate(std::size_t bytes) {
    constexpr std::size_t kCacheLine = 64;
    Buffer buffer(std::aligned_alloc(kCacheLine, (bytes + kCacheLine) / kCacheLine * kCacheLine));
    if (!buffer) throw std::bad_alloc();
    return buffer;
  }

  void execute(std::size_t i) {
    const Step& step = plan_.steps[i];
    if (!step.own) {
      step.primitive.execute(stream_, arguments_[i]);
      return;
    }
    stream_.wait();
    step.own(static_cast<const float*>(arguments_[i].at(DNNL_ARG_SRC).get_data_handle()),
             static_cast<float*>(arguments_[i].at(DNNL_ARG_DST).get_data_handle()));
  }

  memory bound(const Operand& operand) {
    switch (operand.kind) {
      case Operand::kInput:
        return input_;
      case Operand::kConstant:
        return plan_.constants[operand.index];
      case Operand::kValue: {
        const Value& value = plan_.values[operand.index];
        return memory(value.desc, plan_.engine, slots_[value.slot].get());
      }
      default:
        return outputs_.at(operand.kind);
    }
  }

  void bind(const Step& step) {
    std::unordered_map<int, memory> map;
    for (const auto& [name, operand] : step.arguments) map.emplace(name, bound(operand));
    const memory::desc bytes({dim(plan_.scratchpad)}, memory::data_type::u8, Tag::x);
    if (plan_.scratchpad > 0) map.emplace(DNNL_ARG_SCRATCHPAD, memory(bytes, plan_.engine, scratchpad_.get()));
    arguments_.push_back(std::move(map));
  }

  void set_output(Operand::Kind kind, float* target) {
    const auto found = outputs_.find(kind);
    if (found != outputs_.end() && target != nullptr) found->second.set_data_handle(target);
  }

  static bool wanted(const Step& step, const Targets& targets) {
    switch (step.arguments.back().second.kind) {
      case Operand::kHash:
        return targets.hash != nullptr;
      case Operand::kFeatures:
        return targets.features != nullptr;
      case Operand::kLogits:
        return targets.logits != nullptr;
      default:
        return true;
    }
  }

  const Plan& plan_;
  dnnl::stream stream_;
  std::vector<Buffer> slots_;
  Buffer scratchpad_;
  memory input_;
  std::map<Operand::Kind, memory> outputs_;
  std::vector<std::unordered_map<int, memory>> arguments_;
};

class OnednnEngine final : public Engine {
 public:
  OnednnEngine(const Network& network, std::size_t batch)
      : plan_(translate_errors([&] {
          const OneOmpThread one;
          return PlanBuilder(network, batch).build();
        })) {}

  std::string name() const override {
    const dnnl_version_t* v = dnnl_version();
    return concat("onednn ", v->major, ".", v->minor, ".", v->patch);
  }
  std::size_t batch() const noexcept override { return plan_.batch; }
  std::unique_ptr<Session> make_session() const override {
    return translate_errors([&]() -> std::unique_ptr<Session> { return std::make_unique<OnednnSession>(plan_); });
  }

 private:
  Plan plan_;
};

}  // namespace

std::unique_ptr<Engine> make_onednn_engine(const Network& network, std::size_t batch) {
  constexpr std::size_t kBatch = 1;
  return std::make_unique<OnednnEngine>(network, batch == 0 ? kBatch : batch);
}

}  // namespace signet
