#include "apps/signet/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
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

}  // namespace

std::optional<double> to_real(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool whole = !text.empty() && end == text.c_str() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

struct Options::State {
  State(std::string_view verb, std::string_view summary) : app(std::string(summary), concat("signet ", verb)), set(app) {}
  // With the sub-verb, where one was read already.
  std::string name_so_far() const {
    const std::vector<CLI::App*> read = app.get_subcommands();
    return read.empty() ? app.get_name() : concat(app.get_name(), " ", read.front()->get_name());
  }
  // CLI11 would only say that one is required.
  void check_sub_verb(Arguments arguments) const {
    if (sub_verbs.empty() || arguments.empty() || arguments.front().starts_with('-')) return;
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands({})) names.push_back(sub->get_name());
    if (std::find(names.begin(), names.end(), arguments.front()) == names.end())
      fail(ErrorCode::kUsage, "no verb \"", arguments.front(), "\"; there are ", join(names));
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
    std::string text = one_line(error.what());
    // CLI11 puts the option's name before the sentence of number(), which names it too.
    if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) text.erase(0, text.find(": ") + 2);
    fail(ErrorCode::kUsage, text, " (", state_->name_so_far(), " --help explains the options)");
  }
  return true;
}

}  // namespace signet::cli
