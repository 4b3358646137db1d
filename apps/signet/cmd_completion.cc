#include <iostream>
#include <string>

#include "apps/signet/options.h"
#include "signet/base/error.h"

namespace signet::cli {
namespace {

std::string verb_names() {
  std::string names;
  for (const Verb& verb : verbs()) names += std::string(verb.name) + ' ';
  return names + "--help --version";
}

// A summary inside single quotes, in a form that zsh's _describe and fish take.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

void print_bash() {
  std::cout
      << "_signet() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} words\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    words='"
      << verb_names()
      << "'\n"
         "  elif [[ $word == -* ]]; then\n"
         "    words=$(\"${COMP_WORDS[0]}\" \"${COMP_WORDS[1]}\" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -o filenames -F _signet signet\n";
}

void print_zsh() {
  std::cout << "#compdef signet\n"
               "_signet() {\n"
               "  if (( CURRENT == 2 )); then\n"
               "    local -a verbs\n"
               "    verbs=(\n";
  for (const Verb& verb : verbs()) std::cout << "      '" << verb.name << ':' << quoted(verb.summary) << "'\n";
  std::cout << "      '--help:list the verbs'\n"
               "      '--version:print the version'\n"
               "    )\n"
               "    _describe verb verbs\n"
               "  elif [[ $words[CURRENT] == -* ]]; then\n"
               "    local -a options\n"
               "    options=(${(fu)\"$($words[1] $words[2] --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*')\"})\n"
               "    compadd -a options\n"
               "  else\n"
               "    _files\n"
               "  fi\n"
               "}\n"
               // In a folder of $fpath the file is the function itself; sourced, it announces it.
               "if [[ $funcstack[1] == _signet ]]; then _signet \"$@\"; else compdef _signet signet; fi\n";
}

void print_fish() {
  for (const Verb& verb : verbs())
    std::cout << "complete -c signet -f -n __fish_use_subcommand -a " << verb.name << " -d '" << quoted(verb.summary) << "'\n";
  std::cout << "complete -c signet -f -n __fish_use_subcommand -l help -d 'list the verbs'\n"
               "complete -c signet -f -n __fish_use_subcommand -l version -d 'print the version'\n"
               "function __signet_options\n"
               "  set -l words (commandline -opc)\n"
               "  $words[1] $words[2] --help 2>/dev/null | string match -ar -- '--[a-z][a-z-]*' | sort -u\n"
               "end\n"
               "complete -c signet -n 'not __fish_use_subcommand; and string match -q -- \"-*\" (commandline -ct)' -a "
               "'(__signet_options)'\n";
}

}  // namespace

// The scripts ask `signet VERB --help` for the options when the tab key is pressed, so that they can never be out of date.
int run_completion(Arguments words) {
  std::string shell;
  Options options("completion", "Print a script that completes verbs, options and file names.",
                  "source <(signet completion bash)\n"
                  "  signet completion zsh > ~/.zfunc/_signet\n"
                  "  signet completion fish > ~/.config/fish/completions/signet.fish");
  options->text("SHELL", shell, "bash, zsh or fish", "", Need::kRequired);
  if (!options.parse(words)) return 0;
  if (shell == "bash")
    print_bash();
  else if (shell == "zsh")
    print_zsh();
  else if (shell == "fish")
    print_fish();
  else
    fail(ErrorCode::kUsage, "there is completion for bash, zsh and fish, not for \"", shell, "\"");
  return 0;
}

}  // namespace signet::cli
