#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/signet/command.h"

namespace signet::cli {

enum class Need { kOptional, kRequired };

// The options of one verb, or of one of its sub-verbs. Names as CLI11 takes them: "--threads", "-q,--quiet", "PATH" for a
// positional one. `kind` is what --help shows for the value. Targets hold the defaults and must outlive parse(). CLI11 stays
// inside options.cc, because every file that includes it compiles twice as long.
class OptionSet {
 public:
  virtual ~OptionSet() = default;
  virtual void text(const char* name, std::string& target, const std::string& help, const char* kind,
                    Need need = Need::kOptional) = 0;
  virtual void texts(const char* name, std::vector<std::string>& target, const std::string& help, const char* kind,
                     char delimiter = '\0') = 0;
  virtual void number(const char* name, std::uint64_t& target, const std::string& help, const char* kind, std::uint64_t least = 0,
                      std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) = 0;
  virtual void numbers(const char* name, std::vector<std::uint64_t>& target, const std::string& help, const char* kind) = 0;
  virtual void flag(const char* name, bool& target, const std::string& help) = 0;
  virtual bool given(const char* name) const = 0;  // after parse()

  // Options that several verbs share, with the same name and meaning everywhere.
  void json(bool& target) { flag("--json", target, "print JSON instead of text"); }
  void quiet(bool& target) { flag("-q,--quiet", target, "no progress on standard error"); }
  void max_megapixels(std::uint64_t& target) {
    number("--max-megapixels", target, "refuse pictures larger than this before decoding them (256)", "N", 1, 100'000);
  }
  void threads(std::uint64_t& target) { number("--threads", target, "threads; 0, the default: one per CPU", "N", 0, 1024); }
};

// Throws kUsage for the first of these options that was given, because nothing would read it: "FLAG says nothing " and `where`,
// for example "about codes that are there already (--codes)".
void refuse_given(const OptionSet& options, std::initializer_list<const char*> flags, const std::string& where);

// A finite number, and nothing beside it; nothing for any other text.
std::optional<double> to_real(const std::string& text);

// The known name that was probably meant by a mistyped one; empty where none resembles it.
std::string nearest_name(const std::string& mistyped, const std::vector<std::string>& known);

class Options {
 public:
  Options(std::string_view verb, std::string_view summary, std::string_view example);
  ~Options();
  OptionSet& set() noexcept;
  OptionSet* operator->() noexcept { return &set(); }
  OptionSet& sub_verb(const char* name, const char* summary,
                      const char* example);  // from then on exactly one sub-verb must be given
  std::string chosen_sub_verb() const;       // after parse()

  // False where --help was asked for and has been printed. Throws Error{kUsage} for anything that does not parse.
  bool parse(Arguments arguments);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace signet::cli
