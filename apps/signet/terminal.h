#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "signet/base/progress.h"
#include "signet/base/text.h"

namespace signet::cli {

// Ctrl-C and SIGTERM: after catch_interrupts() the first one only sets a flag, which progress callbacks pass on, so that a long
// operation ends in order with Error{kCancelled}; a second one kills the program as usual.
void catch_interrupts();
bool interrupted() noexcept;

// Draws progress on standard error: one live line on a terminal, a plain line every ten seconds elsewhere, nothing when quiet.
class Meter {
 public:
  Meter(std::string verb, bool quiet);
  ~Meter();
  ProgressFn callback();  // also stops the operation when interrupted(); valid while the meter lives
  void clear();           // takes the live line away, so that something else can be printed

 private:
  bool update(const Progress& progress);
  std::string verb_;
  bool quiet_, tty_, drawn_ = false;
  double began_, last_ = 0;
};

// A remark on standard error: "signet encode: 12 grey images were converted ...".
void note(std::string_view verb, const std::string& message);

// Of a picture that was left out: "signet add: skipped a/1.jpg: is empty". Errors of decoding begin with the key already.
void note_skipped(std::string_view verb, const std::string& key, const std::string& reason);

void print_json(const nlohmann::ordered_json& value);  // on standard output; what is no UTF-8 is replaced

// Columns padded to the widest cell, two spaces apart; the first row is the heading. Cells that start with a digit, sign or dot
// are set right where the whole column does.
void print_table(const std::vector<std::vector<std::string>>& rows);

std::string fixed(double value, int digits);                      // 0.9123
std::string counted(std::uint64_t count, std::string_view noun);  // 1 image, 2,000 images
std::string human_bytes(std::uint64_t bytes);                     // 1.2 MB (powers of 1,000)
std::string human_seconds(double seconds);                        // 0.8 s, 3 min 12 s

// The text without control characters, so that a file's name cannot command a terminal or break a table.
std::string printable(std::string_view text);

double now_seconds() noexcept;  // monotonic

}  // namespace signet::cli
