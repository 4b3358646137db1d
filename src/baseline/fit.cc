#include <algorithm>

#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
namespace {

struct Method {
  const char* name;
  std::unique_ptr<Hasher> (*fit)(const FeatureSet&, const BaselineOptions&);
  bool needs_labels = false, needs_covariance = false;
  std::vector<const char*> parameters;
  std::size_t rounds = 0, anchors = 0;  // as published: what 0 in the options means
};

const std::vector<Method>& methods() {
  static const std::vector<Method> kMethods = {{"lsh", fit_lsh, false, false, {}},
                                               {"pcah", fit_pcah, false, true, {}},
                                               {"itq", fit_itq, false, true, {"rounds"}, 50},
                                               {"itq-cca", fit_itq_cca, true, true, {"rounds", "ridge"}, 50},
                                               {"sh", fit_sh, false, true, {}},
                                               {"isoh", fit_isoh, false, true, {"rounds"}, 300},
                                               {"ksh", fit_ksh, true, false, {"anchors", "labelled"}, 0, 300},
                                               {"sdh", fit_sdh, true, false, {"rounds", "anchors", "lambda", "nu"}, 5, 1000},
                                               {"fasthash", fit_fasthash, true, false, {"labelled", "rounds"}, 200},
                                               {"bilinear", fit_bilinear, false, false, {"rows", "rounds"}, 20},
                                               {"bilinear-lda", fit_bilinear_lda, true, false, {"rows", "rounds", "ridge"}, 20}};
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

bool learns_from_labels(const std::string& method) { return find_method(method).needs_labels; }

bool needs_covariance(const std::string& method) { return find_method(method).needs_covariance; }

BaselineOptions effective_options(const std::string& method, const BaselineOptions& options, std::size_t vectors) {
  const Method& m = find_method(method);
  BaselineOptions all = options;
  if (all.rounds == 0) all.rounds = m.rounds;
  if (all.anchors == 0) all.anchors = std::min(m.anchors, vectors);
  all.labelled = std::min(all.labelled, vectors);
  return all;
}

std::unique_ptr<Hasher> fit_baseline(const std::string& method, const FeatureSet& features, const BaselineOptions& options) {
  return find_method(method).fit(features, effective_options(method, options, features.count()));
}

}  // namespace signet
