#include "serve/labels.h"

#include <algorithm>
#include <charconv>

#include "signet/base/error.h"

namespace signet {

std::string label_name(std::int32_t label, const std::vector<std::string>& class_names) {
  const auto index = static_cast<std::size_t>(label);
  return index < class_names.size() && !class_names[index].empty() ? class_names[index] : std::to_string(label);
}

std::string label_names(const std::vector<std::int32_t>& labels, const std::vector<std::string>& class_names) {
  std::string text;
  for (const std::int32_t label : labels) {
    if (!text.empty()) text += ';';
    text += label_name(label, class_names);
  }
  return text;
}

std::optional<std::int32_t> label_number(const std::string& text) {
  std::int32_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::int32_t find_label(const std::string& name, const std::vector<std::string>& class_names) {
  const auto named = std::find(class_names.begin(), class_names.end(), name);
  if (named != class_names.end()) return static_cast<std::int32_t>(named - class_names.begin());
  const auto number = label_number(name);
  if (!number || (!class_names.empty() && static_cast<std::size_t>(*number) >= class_names.size()))
    fail(ErrorCode::kNotFound, "the collection has no label \"", name, "\"");
  return *number;
}

void name_labels(CodeMap& map) {
  std::int32_t most = -1;
  for (const auto& point : map.points) most = std::max(most, point.label);
  constexpr std::int32_t kMost = 100'000;  // numbers beyond are no classes of anybody
  for (auto& point : map.points) {
    if (point.label > kMost) point.label = -1;
  }
  for (auto i = static_cast<std::int32_t>(map.labels.size()); i <= std::min(most, kMost); ++i)
    map.labels.push_back(std::to_string(i));
}

}  // namespace signet
