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

// Lines of a shell's `case` over verbs: `before` + sub-verbs + `after` for each verb that has some. completion itself is none,
// but what follows it is one of a few words too.
std::string cases(const char* before, const char* after) {
  std::string lines = concat("    completion) ", before, "bash zsh fish", after, " ;;\n");
  for (const Verb& verb : verbs())
    if (!verb.sub_verbs.empty()) lines += concat("    ", verb.name, ") ", before, verb.sub_verbs, after, " ;;\n");
  return lines;
}

// Names of the options in --help: what a line begins with. Descriptions speak of other verbs' options too.
constexpr const char* kOptionNames = "sed -n 's/^ *\\(-[a-z],\\)\\{0,1\\}\\(--[a-z][a-z0-9-]*\\).*/\\2/p'";

void print_bash() {
  std::cout << "_signet() {\n"
               "  local word=${COMP_WORDS[COMP_CWORD]} sub= subs= words\n"
               "  case ${COMP_WORDS[1]} in\n"
            << cases("subs='", "'")
            << "  esac\n"
               "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
               "    words='"
            << verb_names()
            << "'\n"
               "  elif [[ $word == -* ]]; then\n"
               "    [[ \" $subs \" == *\" ${COMP_WORDS[2]} \"* ]] && sub=${COMP_WORDS[2]}\n"
               "    words=$(\"${COMP_WORDS[0]}\" \"${COMP_WORDS[1]}\" $sub --help 2>/dev/null | "
            << kOptionNames
            << ")\n"
               "  else\n"
               "    [ \"$COMP_CWORD\" -eq 2 ] || subs=\n"
               "    mapfile -t COMPREPLY < <(compgen -W \"$subs\" -- \"$word\"; compgen -f -- \"$word\")\n"
               "    return\n"
               "  fi\n"
               "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
               "}\n"
               "complete -o filenames -F _signet signet\n";
}

void print_zsh() {
  std::cout << "#compdef signet\n"
               "_signet() {\n"
               "  local -a subs sub\n"
               "  case $words[2] in\n"
            << cases("subs=(", ")")
            << "  esac\n"
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
               "    (( $subs[(Ie)$words[3]] )) && sub=($words[3])\n"
               "    options=(${(fu)\"$($words[1] $words[2] $sub --help 2>/dev/null | "
            << kOptionNames
            << ")\"})\n"
               "    compadd -a options\n"
               "  else\n"
               "    (( CURRENT == 3 )) && compadd -a subs\n"
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
               "  set -l sub\n"
               "  set -l subs (__signet_sub_verbs)\n"
               "  contains -- \"$words[3]\" $subs; and set sub $words[3]\n"
               "  $words[1] $words[2] $sub --help 2>/dev/null | "
            << kOptionNames
            << "\n"
               "end\n"
               "function __signet_sub_verbs\n"
               "  set -l words (commandline -opc)\n"
               "  switch \"$words[2]\"\n"
               "    case completion\n"
               "      printf '%s\\n' bash zsh fish\n";
  for (const Verb& verb : verbs())
    if (!verb.sub_verbs.empty()) std::cout << "    case " << verb.name << "\n      printf '%s\\n' " << verb.sub_verbs << '\n';
  std::cout << "  end\n"
               "end\n"
               "complete -c signet -n 'test (count (commandline -opc)) -eq 2' -a '(__signet_sub_verbs)'\n"
               "complete -c signet -n 'not __fish_use_subcommand; and string match -q -- \"-*\" (commandline -ct)' -a "
               "'(__signet_options)'\n";
}

}  // namespace

// The scripts ask `signet VERB --help`, or that of a sub-verb, for the options when the tab key is pressed, so that they can
// never be out of date.
int run_completion(Arguments words) {
  std::string shell;
  Options options("completion", "Print a script that completes verbs, their sub-verbs, options and file names.",
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
