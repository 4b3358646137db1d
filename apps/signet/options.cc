#include "apps/signet/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/text.h"

namespace signet::cli {
namespace {

class AppOptions final : public OptionSet {
 public:
  explicit AppOptions(CLI::App& app) : app_(app) {}
  void text(const char* name, std::string& target, const std::string& help, const char* kind, Need need) override {
    app_.add_option(name, target, help)->type_name(kind)->required(need == Need::kRequired);
  }
  void texts(const char* name, std::vector<std::string>& target, const std::string& help, const char* kind,
             char delimiter) override {
    CLI::Option* option = app_.add_option(name, target, help)->type_name(kind);
    if (delimiter != '\0') option->delimiter(delimiter);
  }
  void number(const char* name, std::uint64_t& target, const std::string& help, const char* kind, std::uint64_t least,
              std::uint64_t most) override {
    const auto within = [name, least, most](const std::string& word) {
      std::uint64_t value = 0;
      const bool parsed = CLI::detail::lexical_cast(word, value) && word.find('-') == std::string::npos;
      if (parsed && value >= least && value <= most) return std::string();
      const bool open = most == std::numeric_limits<std::uint64_t>::max();
      return concat(name, " is \"", word, "\"; it must be a whole number ", open ? "of at least " : "from ", least,
                    open ? std::string() : concat(" to ", most));
    };
    app_.add_option(name, target, help)->type_name(kind)->check(CLI::Validator(within, ""));
  }
  void numbers(const char* name, std::vector<std::uint64_t>& target, const std::string& help, const char* kind) override {
    app_.add_option(name, target, help)->type_name(kind);
  }
  void flag(const char* name, bool& target, const std::string& help) override { app_.add_flag(name, target, help); }
  bool given(const char* name) const override { return app_.count(name) > 0; }

 private:
  CLI::App& app_;
};

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

// Levenshtein distance: how many letters are to be added, dropped or changed.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

bool is_option(const std::string& word) {  // and no number below zero
  return word.size() > 1 && word[0] == '-' && word != "--" && (word[1] < '0' || word[1] > '9');
}

// `unknown` is what is left over of a command line: a mistyped option, and often its value after it.
std::string describe_unknown(const CLI::App& app, std::vector<std::string> unknown) {
  std::erase(unknown, "--");
  const auto option = std::find_if(unknown.begin(), unknown.end(), is_option);
  if (option == unknown.end()) return concat("\"", unknown.front(), "\" is one word too many");
  const std::string name = option->substr(0, option->find('='));
  std::vector<std::string> known;
  for (const CLI::Option* one : app.get_options())
    for (const std::string& long_name : one->get_lnames()) known.push_back(long_name);
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  if (name.starts_with("--") && std::find(known.begin(), known.end(), bare) != known.end())
    return concat(name, " stands behind --, where no word is an option; put it before");
  const std::string nearest = bare.size() > 1 ? nearest_name(bare, known) : "";
  return concat("there is no option ", name, nearest.empty() ? "" : concat("; did you mean --", nearest, "?"));
}

}  // namespace

std::string nearest_name(const std::string& mistyped, const std::vector<std::string>& known) {
  const auto nearest = std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(mistyped, a) < edit_distance(mistyped, b);
  });
  if (nearest == known.end() || edit_distance(mistyped, *nearest) > std::max<std::size_t>(1, nearest->size() / 2)) return {};
  return *nearest;
}

void refuse_given(const OptionSet& options, std::initializer_list<const char*> flags, const std::string& where) {
  for (const char* flag : flags)
    if (options.given(flag)) fail(ErrorCode::kUsage, flag, " says nothing ", where, "; leave it out");
}

std::optional<double> to_real(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool whole = !text.empty() && end == text.c_str() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

struct Options::State {
  State(std::string_view verb, std::string_view summary) : app(std::string(summary), concat("signet ", verb)), set(app) {}
  // The sub-verb, where one was read already.
  const CLI::App& read_so_far() const {
    const std::vector<CLI::App*> read = app.get_subcommands();
    return read.empty() ? app : *read.front();
  }
  std::string name_so_far() const {
    const CLI::App& read = read_so_far();
    return &read == &app ? app.get_name() : concat(app.get_name(), " ", read.get_name());
  }
  // CLI11 would only say that one is required.
  void check_sub_verb(Arguments arguments) const {
    if (sub_verbs.empty() || (!arguments.empty() && arguments.front().starts_with('-'))) return;
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
    if (arguments.empty()) fail(ErrorCode::kUsage, "the verb is missing; there are ", join(names));
    if (std::find(names.begin(), names.end(), arguments.front()) == names.end())
      fail(ErrorCode::kUsage, "no verb \"", arguments.front(), "\"; there are ", join(names));
  }
  std::string describe(const CLI::ParseError& error) const {
    // What is required may be missing because it was mistyped.
    const std::vector<std::string> unknown = app.remaining(true);
    const bool incomplete = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    const bool mistyped = incomplete && std::any_of(unknown.begin(), unknown.end(), is_option);
    if (mistyped || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
      return one_line(describe_unknown(read_so_far(), unknown));
    std::string text = one_line(error.what());
    // CLI11 puts the option's name before the sentence of number(), which names it too.
    if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) text.erase(0, text.find(": ") + 2);
    return text;
  }
  CLI::App app;
  AppOptions set;
  std::vector<std::unique_ptr<AppOptions>> sub_verbs;
};

Options::Options(std::string_view verb, std::string_view summary, std::string_view example)
    : state_(std::make_unique<State>(verb, summary)) {
  state_->app.footer(concat("Example:\n  ", example));
  state_->app.get_formatter()->column_width(32);
}

Options::~Options() = default;

OptionSet& Options::set() noexcept { return state_->set; }

OptionSet& Options::sub_verb(const char* name, const char* summary, const char* example) {
  CLI::App* sub = state_->app.add_subcommand(name, summary);
  sub->footer(concat("Example:\n  ", example));
  state_->app.require_subcommand(1);
  state_->sub_verbs.push_back(std::make_unique<AppOptions>(*sub));
  return *state_->sub_verbs.back();
}

std::string Options::chosen_sub_verb() const { return state_->app.get_subcommands().front()->get_name(); }

bool Options::parse(Arguments arguments) {
  state_->check_sub_verb(arguments);
  try {
    state_->app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes the last one first
  } catch (const CLI::CallForHelp&) {
    std::cout << state_->app.help();
    return false;
  } catch (const CLI::ParseError& error) {
    fail(ErrorCode::kUsage, state_->describe(error), " (", state_->name_so_far(), " --help explains the options)");
  }
  return true;
}

}  // namespace signet::cli
