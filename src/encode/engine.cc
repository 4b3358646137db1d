#include "encode/engine.h"

#include "signet/base/error.h"

namespace signet {

std::vector<std::string> engine_names() { return {"onednn", "reference"}; }

std::unique_ptr<Engine> make_engine(const std::string& name, const Network& network) {
  if (name == "auto" || name == "onednn") return make_onednn_engine(network);
  if (name == "reference") return make_reference_engine(network);
  fail(ErrorCode::kUsage, "there is no engine named \"", name, "\"; use auto, onednn or reference");
}

}  // namespace signet
