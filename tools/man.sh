#!/bin/bash
# Makes man pages from the program's own --help: signet.1 and one signet-VERB.1 a verb. The install step calls it.
# Usage: tools/man.sh SIGNET FOLDER
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: tools/man.sh SIGNET FOLDER" >&2; exit 2; }
signet=$1 folder=$2
mkdir -p "$folder"
version=$("$signet" --version)

# Text as roff: no backslash, no leading dot or quote that would be a command.
roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

# page NAME SUMMARY < the text of --help
page() {
  printf '.TH %s 1 "" "%s" "signet"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n.nf\n' "${1^^}" "$version" "$(roff <<<"$1")" "$(roff <<<"$2")"
  roff
  printf '.fi\n.SH SEE ALSO\n'
  [ "$1" = signet ] || printf '.BR signet (1),\n'
  printf 'the pages in the folder docs of the sources.\n'
}

"$signet" --help | page signet "learned binary signatures of images, and exact search over them" > "$folder/signet.1"
"$signet" --help | sed -n 's/^  \([a-z][a-z-]*\)  *\([^ ].*\)$/\1 \2/p' | while read -r verb summary; do
  if [ "$verb" = train ]; then
    text=$("$signet" train --help 2>/dev/null) || continue  # a build without training has no help for it
  else
    text=$("$signet" "$verb" --help)
  fi
  page "signet-$verb" "$summary" <<<"$text" > "$folder/signet-$verb.1"
done
