#include <algorithm>
#include <array>

#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
namespace {

struct Method {
  const char* name;
  std::unique_ptr<Hasher> (*fit)(const FeatureSet&, const BaselineOptions&);
};

constexpr std::array kMethods = {Method{"lsh", fit_lsh},          Method{"pcah", fit_pcah}, Method{"itq", fit_itq},
                                 Method{"itq-cca", fit_itq_cca},  Method{"sh", fit_sh},     Method{"isoh", fit_isoh},
                                 Method{"ksh", fit_ksh},          Method{"sdh", fit_sdh},   Method{"fasthash", fit_fasthash},
                                 Method{"bilinear", fit_bilinear}};

}  // namespace

std::vector<std::string> baseline_names() {
  std::vector<std::string> names;
  for (const Method& m : kMethods) names.emplace_back(m.name);
  return names;
}

std::unique_ptr<Hasher> fit_baseline(const std::string& method, const FeatureSet& features, const BaselineOptions& options) {
  const auto found = std::find_if(kMethods.begin(), kMethods.end(), [&](const Method& m) { return method == m.name; });
  if (found != kMethods.end()) return found->fit(features, options);
  std::string names;
  for (const Method& m : kMethods) names += names.empty() ? m.name : concat(", ", m.name);
  fail(ErrorCode::kUsage, "no shallow method is called '", method, "'; there are ", names);
}

}  // namespace signet
