#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "signet/serve/service.h"

namespace signet {

// A class's name; its number where it has none.
std::string label_name(std::int32_t label, const std::vector<std::string>& class_names);
// All of an image's classes, joined by ';'; empty where unknown.
std::string label_names(const std::vector<std::int32_t>& labels, const std::vector<std::string>& class_names);
// The class that a text names by its number.
std::optional<std::int32_t> label_number(const std::string& text);
// The class of a name, else of a number; throws kNotFound.
std::int32_t find_label(const std::string& name, const std::vector<std::string>& class_names);
// Classes without names that occur in a map get names, so that `labels` covers all points.
void name_labels(CodeMap& map);

}  // namespace signet
