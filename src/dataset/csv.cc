#include "dataset/csv.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::reader {
namespace {

class Parser {
 public:
  Parser(std::string_view text, char separator, const std::string& name) : text_(text), separator_(separator), name_(name) {}

  std::vector<CsvRow> run() {
    while (at_ < text_.size()) {
      CsvRow row = read_row();
      if (row.cells.size() > 1 || !row.cells.front().empty()) rows_.push_back(std::move(row));
    }
    return std::move(rows_);
  }

 private:
  [[noreturn]] void corrupt(std::size_t line, const char* why) const {
    fail(ErrorCode::kCorrupt, name_, ": line ", line, " ", why);
  }

  bool at_line_end() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
  }

  CsvRow read_row() {
    CsvRow row{.line = line_, .cells = {}};
    while (true) {
      row.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? read_quoted() : read_plain());
      if (at_ == text_.size()) return row;
      if (text_[at_] == separator_) {
        ++at_;
        continue;
      }
      at_ += text_[at_] == '\r' && at_ + 1 < text_.size() ? 2 : 1;
      ++line_;
      return row;
    }
  }

  std::string read_plain() {
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] != separator_ && !at_line_end(); ++at_) {
      if (text_[at_] == '\0') corrupt(line_, "holds a NUL byte; a text file would be right");
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string read_quoted() {
    const std::size_t opened = line_;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\0') corrupt(line_, "holds a NUL byte; a text file would be right");
      if (c == '\n') ++line_;
      if (c != '"') {
        cell += c;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell += '"';
        ++at_;
      } else {
        ++at_;
        if (at_ < text_.size() && text_[at_] != separator_ && !at_line_end())
          corrupt(line_, "has text behind a closing quote; the cell should end there");
        return cell;
      }
    }
    corrupt(opened, "opens a quote that is never closed; the file is truncated or a quote inside a cell is not doubled");
  }

  std::string_view text_;
  char separator_;
  const std::string& name_;
  std::size_t at_ = 0, line_ = 1;
  std::vector<CsvRow> rows_;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::span<const std::byte> bytes, char separator, const std::string& name) {
  std::string_view text = as_text(bytes);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    fail(ErrorCode::kUnsupported, name, ": is UTF-16 text; save it as UTF-8");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Parser(text, separator, name).run();
}

}  // namespace signet::reader
