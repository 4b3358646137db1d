#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
namespace {

struct Method {
  const char* name;
  std::unique_ptr<Hasher> (*fit)(const FeatureSet&, const BaselineOptions&);
  std::vector<const char*> parameters;
};

const std::vector<Method>& methods() {
  static const std::vector<Method> kMethods = {{"lsh", fit_lsh, {}},
                                               {"pcah", fit_pcah, {}},
                                               {"itq", fit_itq, {"rounds"}},
                                               {"itq-cca", fit_itq_cca, {"rounds", "ridge"}},
                                               {"sh", fit_sh, {}},
                                               {"isoh", fit_isoh, {"rounds"}},
                                               {"ksh", fit_ksh, {"anchors", "labelled"}},
                                               {"sdh", fit_sdh, {"rounds", "anchors", "lambda", "nu"}},
                                               {"fasthash", fit_fasthash, {"labelled", "rounds"}},
                                               {"bilinear", fit_bilinear, {"rows", "rounds"}},
                                               {"bilinear-lda", fit_bilinear_lda, {"rows", "rounds", "ridge"}}};
  return kMethods;
}

const Method& find_method(const std::string& name) {
  for (const Method& m : methods())
    if (name == m.name) return m;
  std::string names;
  for (const Method& m : methods()) names += names.empty() ? m.name : concat(", ", m.name);
  fail(ErrorCode::kUsage, "no shallow method is called '", name, "'; there are ", names);
}

}  // namespace

std::vector<std::string> baseline_names() {
  std::vector<std::string> names;
  for (const Method& m : methods()) names.emplace_back(m.name);
  return names;
}

std::vector<std::string> baseline_parameters(const std::string& method) {
  const Method& m = find_method(method);
  return {m.parameters.begin(), m.parameters.end()};
}

std::unique_ptr<Hasher> fit_baseline(const std::string& method, const FeatureSet& features, const BaselineOptions& options) {
  return find_method(method).fit(features, options);
}

}  // namespace signet
