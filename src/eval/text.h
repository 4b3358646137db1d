#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace signet::eval {

// Text for HTML content and double-quoted attributes: & < > " ' escaped, control characters other than line breaks dropped, bytes
// that are no UTF-8 replaced by U+FFFD.
std::string escape(std::string_view text);

// The opening tag of a part that is scrolled sideways, by keyboard too. `classes` come after "wide"; `name` is for screen
// readers.
std::string scroll_region(std::string_view name, std::string_view classes = {});

// Numbers for people and for SVG, always with a decimal point, whatever the locale.
std::string fixed(double value, int digits);    // "0.912"; "-0.000" becomes "0.000"; "not a number" values become "–"
std::string shortest(double value);             // at most two digits after the point, no trailing zeros
std::string grouped(std::uint64_t value);       // "60 000" with a thin no-break space
std::string percent(double share, int digits);  // "91.2 %" with a no-break space
std::string significant(double value);          // about three digits: "0.0123", "4.56", "123", "12 345"

std::string plain_number(double value);  // the shortest that reads back as the same: "0.9079", "1e-07"

}  // namespace signet::eval
