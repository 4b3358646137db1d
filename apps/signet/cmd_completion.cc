#include <iostream>

#include "apps/signet/options.h"
#include "signet/base/error.h"

namespace signet::cli {

// The script asks `signet VERB --help` for the options when the tab key is pressed, so that it can never be out of date.
int run_completion(Arguments words) {
  std::string shell;
  Options options("completion", "Print a script that completes verbs, options and file names.",
                  "source <(signet completion bash)");
  options->text("SHELL", shell, "bash", "", Need::kRequired);
  if (!options.parse(words)) return 0;
  if (shell != "bash") fail(ErrorCode::kUsage, "there is completion for bash only, not for \"", shell, "\"");
  std::cout << "_signet() {\n"
               "  local word=${COMP_WORDS[COMP_CWORD]} words\n"
               "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
               "    words='";
  for (const Verb& verb : verbs()) std::cout << verb.name << ' ';
  std::cout
      << "--help --version'\n"
         "  elif [[ $word == -* ]]; then\n"
         "    words=$(\"${COMP_WORDS[0]}\" \"${COMP_WORDS[1]}\" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "}\n"
         "complete -o filenames -F _signet signet\n";
  return 0;
}

}  // namespace signet::cli
