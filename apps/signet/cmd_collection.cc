#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/signet/collection_verbs.h"
#include "apps/signet/options.h"
#include "signet/base/error.h"
#include "signet/code/code_matrix.h"

namespace signet::cli {
namespace {

// `signet collection add FOLDER PATH...` is `signet add PATH --collection FOLDER`.
int forward_add(Arguments words) {
  std::vector<std::string> forwarded(words.begin(), words.end());
  if (!forwarded.empty() && forwarded.front().substr(0, 1) != "-") {
    const std::string folder = forwarded.front();
    forwarded.erase(forwarded.begin());
    forwarded.insert(forwarded.end(), {"--collection", folder});
  }
  return run_add(forwarded);
}

OptionSet* subverb(Options& options, CollectionArguments& arguments, const char* name, const char* summary, const char* example) {
  OptionSet* sub = &options.sub_verb(name, summary, example);
  sub->text("COLLECTION", arguments.path, "the collection's folder", "", Need::kRequired);
  sub->json(arguments.json);
  sub->quiet(arguments.quiet);
  return sub;
}

void add_create(Options& options, CollectionArguments& arguments) {
  OptionSet* sub = subverb(options, arguments, "create", "make an empty collection for the codes of one model",
                           "signet collection create photos.signet --model model.onnx");
  sub->text("--model", arguments.model, "the model whose codes it will hold", "FILE");
  sub->number("--bits", arguments.bits, "code length, where codes come from elsewhere than a model", "K", 1, kMaxBits);
}

void add_remove(Options& options, CollectionArguments& arguments) {
  OptionSet* sub =
      subverb(options, arguments, "remove", "take images out, by key, id or label; the pictures themselves are not touched",
              "signet collection remove photos.signet /photos/cat/1.jpg");
  sub->texts("KEY", arguments.keys, "keys of the images", "");
  sub->text("--keys-from", arguments.keys_from, "a file with one key a line", "FILE");
  sub->numbers("--id", arguments.ids, "ids of the images", "N...");
  sub->text("--label", arguments.label, "all images of this class (name or number)", "LABEL");
  sub->flag("--ignore-missing", arguments.ignore_missing, "images that are not there are no error");
}

void add_list(Options& options, CollectionArguments& arguments) {
  OptionSet* sub =
      subverb(options, arguments, "list", "list images by ascending id", "signet collection list photos.signet --limit 20");
  sub->number("--after", arguments.after, "begin after this id (0)", "ID");
  sub->number("--limit", arguments.limit, "at most this many; 0: all (100)", "N");
  sub->text("--label", arguments.label, "only this class (name or number)", "LABEL");
  sub->flag("--csv", arguments.csv, "print CSV");
}

void add_transfers(Options& options, CollectionArguments& arguments) {
  OptionSet* sub = subverb(options, arguments, "export", "write codes, keys, labels and records as a folder of plain files",
                           "signet collection export photos.signet --out codes/");
  sub->text("--out", arguments.out, "the folder", "FOLDER", Need::kRequired);
  sub = subverb(options, arguments, "import",
                "add the codes of a folder that export or encode wrote; makes the collection where missing",
                "signet collection import photos.signet --codes codes/");
  sub->text("--codes", arguments.codes, "the folder", "FOLDER", Need::kRequired);
  sub->text("--on-existing", arguments.on_existing, "refuse, replace or skip keys that are already there (refuse)", "WHAT");
  sub->flag("--keep-ids", arguments.keep_ids, "keep the ids of the folder's records.jsonl");
  sub = subverb(options, arguments, "backup", "copy a consistent state while the collection is in use",
                "signet collection backup photos.signet --out photos-monday.signet");
  sub->text("--out", arguments.out, "the new folder; must not exist", "FOLDER", Need::kRequired);
}

}  // namespace

int run_collection(Arguments words) {
  if (!words.empty() && words.front() == "add") return forward_add(words.subspan(1));
  CollectionArguments arguments;
  Options options(
      "collection",
      "Maintain a collection: a folder with codes, keys and records that survives crashes and is searched while in use.",
      "signet collection create photos.signet --model model.onnx\n  signet collection VERB --help explains each verb");
  add_create(options, arguments);
  options.sub_verb("add", "encode pictures into it, as signet add PATH --collection COLLECTION does",
                   "signet collection add photos.signet photos/");
  add_remove(options, arguments);
  add_list(options, arguments);
  subverb(options, arguments, "compact", "give back the space of removed images", "signet collection compact photos.signet");
  subverb(options, arguments, "verify", "read every byte and say whether all is right", "signet collection verify photos.signet");
  subverb(options, arguments, "repair", "bring a damaged collection back, reporting every loss",
          "signet collection repair photos.signet");
  add_transfers(options, arguments);
  if (!options.parse(words)) return 0;
  return run_collection_verb(options.chosen_sub_verb(), arguments);
}

}  // namespace signet::cli
