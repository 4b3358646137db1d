#include "apps/signet/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "signet/base/error.h"

namespace signet::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;  // the one mutable global: a signal handler can reach nothing else

extern "C" void on_interrupt(int /*signal*/) { g_interrupted = 1; }

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// Code points, not bytes: every byte that does not continue one.
std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool looks_numeric(std::string_view cell) {
  return cell.empty() || cell == "-" || cell.find_first_not_of("0123456789.,+-% ") == std::string_view::npos;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept { return g_interrupted != 0; }

double now_seconds() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Meter::Meter(std::string verb, bool quiet)
    : verb_(std::move(verb)), quiet_(quiet), tty_(isatty(STDERR_FILENO) == 1), began_(now_seconds()) {
  last_ = tty_ ? 0 : began_;
}

Meter::~Meter() { clear(); }

void Meter::clear() {
  if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

ProgressFn Meter::callback() {
  return [this](const Progress& progress) { return update(progress); };
}

bool Meter::update(const Progress& progress) {
  if (interrupted()) return false;
  const double now = now_seconds();
  if (quiet_ || now - last_ < (tty_ ? 0.1 : 10.0)) return true;
  last_ = now;
  std::string line = concat("signet ", verb_, ": ", progress.stage, " ", with_commas(progress.done));
  if (progress.total > 0) {
    line += concat(" of ", with_commas(progress.total), " (", 100 * progress.done / progress.total, " %)");
    const double spent = now - began_;
    const bool told = progress.detail.find(" left") != std::string::npos;
    if (!told && progress.done > 0 && progress.done < progress.total && spent > 2) {
      const double left = spent * static_cast<double>(progress.total - progress.done) / static_cast<double>(progress.done);
      line += concat(", ", human_seconds(left), " left");
    }
  }
  if (!progress.detail.empty()) line += concat("  ", printable(progress.detail));
  if (tty_) {
    line.resize(std::min(line.size(), terminal_columns() - 1));
    std::cerr << "\r\x1b[K" << line << std::flush;
    drawn_ = true;
  } else {
    std::cerr << line << std::endl;
  }
  return true;
}

void note(std::string_view verb, const std::string& message) { std::cerr << "signet " << verb << ": " << message << std::endl; }

void print_json(const nlohmann::ordered_json& value) {
  std::cout << value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

void note_skipped(std::string_view verb, const std::string& key, const std::string& reason) {
  note(verb, concat("skipped ", reason.starts_with(key) ? "" : printable(key) + ": ", printable(reason)));
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return;
  const std::size_t columns = rows.front().size();
  std::vector<std::size_t> width(columns, 0);
  std::vector<bool> right(columns, rows.size() > 1);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      width[c] = std::max(width[c], display_width(rows[r][c]));
      if (r > 0 && !looks_numeric(rows[r][c])) right[c] = false;
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string padding(width[c] - display_width(row[c]), ' ');
      line += right[c] ? padding + row[c] : row[c] + padding;
      if (c + 1 < columns) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return concat(with_commas(count), " ", noun, count == 1 ? "" : "s");
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return concat(bytes, " B");
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return concat(fixed(value, 1), " ", kUnits[unit]);
}

std::string human_seconds(double seconds) {
  if (seconds < 60) return concat(fixed(seconds, 1), " s");
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) return concat(whole / 60, " min ", whole % 60, " s");
  return concat(whole / 3600, " h ", whole % 3600 / 60, " min");
}

std::string printable(std::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return clean;
}

}  // namespace signet::cli
