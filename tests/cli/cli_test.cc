#include <algorithm>
#include <cmath>
#include <regex>

#include "tests/cli/run_signet.h"

namespace signet::cli_test {
namespace {

const Words kVerbs = {"encode",        "index",      "search",  "eval",      "inspect", "add",   "collection", "migrate",
                      "export-images", "completion", "shorten", "reproduce", "serve",   "dedup", "compare"};

TEST_F(CliTest, HelpListsEveryVerb) {
  const Outcome help = ok({"--help"});
  for (const std::string& verb : kVerbs) EXPECT_NE(help.out.find("\n  " + verb + " "), std::string::npos) << verb;
  EXPECT_NE(help.out.find("\n  train "), std::string::npos);
}

TEST_F(CliTest, EveryVerbHasHelpWithAnExample) {
  for (const std::string& verb : kVerbs) {
    const Outcome help = ok({verb, "--help"});
    EXPECT_NE(help.out.find("Example:\n"), std::string::npos) << verb;
    EXPECT_NE(help.out.find("signet " + verb), std::string::npos) << verb;
    EXPECT_EQ(help.err, "") << verb;
  }
  for (const char* verb : {"create", "remove", "list", "compact", "verify", "repair", "export", "import", "backup"}) {
    const Outcome help = ok({"collection", verb, "--help"});
    EXPECT_NE(help.out.find(std::string("signet collection ") + verb), std::string::npos) << help.out;
  }
}

TEST_F(CliTest, HelpNamesWhatElseThereIs) {
  const std::string dedup = ok({"dedup", "--help"}).out;
  for (const char* verb : {"dedup apply --help", "undo", "verdict"}) EXPECT_NE(dedup.find(verb), std::string::npos) << verb;
}

TEST_F(CliTest, VersionIsOneLine) {
  const Outcome version = ok({"--version"});
  // With the commit of the sources where they are a repository.
  EXPECT_TRUE(std::regex_match(version.out, std::regex("signet \\d+\\.\\d+\\.\\d+(\\+[0-9a-f]{12,40}(\\.changed)?)?\n")))
      << version.out;
}

TEST_F(CliTest, NoVerbShowsTheHelpAndIsAUsageError) {
  const Outcome nothing = signet({});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_NE(nothing.out.find("usage: signet VERB"), std::string::npos);
}

TEST_F(CliTest, AnUnknownVerbSuggestsTheNearest) {
  expect_error({"serach"}, 2, {"no verb \"serach\"", "did you mean \"search\"?"});
  expect_error({"encoed", "--model", "x"}, 2, {"did you mean \"encode\"?"});
  expect_error({"photosynthesis"}, 2, {"no verb \"photosynthesis\"", "signet --help"});
}

TEST_F(CliTest, UsageErrorsNameTheFlag) {
  expect_error({"encode"}, 2, {"signet encode: ", "--model is required", "signet encode --help"});
  expect_error({"encode", "--model", "m", "--data", "d", "--out", "o", "--colour", "blue"}, 2, {"--colour"});
  expect_error({"search", "--index", "i", "-k", "0"}, 2, {"signet search: -k is \"0\"", "at least 1"});
  expect_error({"search", "--index", "i", "-k", "-5"}, 2, {"-k"});
  expect_error({"search", "--index", "i", "--radius", "-1"}, 2, {"--radius", "-1"});
  expect_error({"search", "--index", "i", "-k", "many"}, 2, {"-k is \"many\""});
  expect_error({"search", "--key", "a"}, 2, {"--index", "--collection"});
  expect_error({"eval", "--summary"}, 2, {"--summary"});
  expect_error({"eval", "--model", "m", "--data", "d"}, 2, {"--protocol is missing", "fashion-heldout"});
  expect_error({"collection"}, 2, {"signet collection: ", "create, add, remove, list"});
  expect_error({"collection", "nix"}, 2, {"no verb \"nix\"", "create, add, remove, list"});
  expect_error({"collection", "list"}, 2, {"COLLECTION is required", "(signet collection list --help"});
  expect_error({"collection", "list", "c", "--colour"}, 2, {"--colour", "(signet collection list --help"});
  expect_error({"collection", "list", "c", "--json", "--csv"}, 2, {"--json", "--csv"});
  expect_error({"collection", "create", "c"}, 2, {"--model", "--bits"});
  expect_error({"completion", "tcsh"}, 2, {"bash, zsh and fish", "tcsh"});
}

TEST_F(CliTest, AnUnknownOptionSuggestsTheNearest) {
  expect_error({"search", "--index", "i", "--radios", "3"}, 2, {"there is no option --radios; did you mean --radius?"});
  expect_error({"encode", "--modle=m", "--data", "d"}, 2, {"there is no option --modle; did you mean --model?"});
  expect_error({"collection", "list", "--labl", "a", "c"}, 2, {"did you mean --label?", "(signet collection list --help"});
  expect_error({"search", "--index", "i", "--photosynthesis", "-z"}, 2, {"no option --photosynthesis (signet search --help"});
  expect_error({"search", "-index", "i"}, 2, {"there is no option -index; did you mean --index?"});
  expect_error({"search", "--index", "i", "-z"}, 2, {"no option -z (signet search --help"});
  expect_error({"collection", "compact", "c", "d"}, 2, {"\"d\" is one word too many"});
  expect_error({"add", "--collection", "c", "--", "-p", "--model", "m"}, 2, {"--model stands behind --", "put it before"});
}

TEST_F(CliTest, AFullDiskAtStandardOutputIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const std::string command = std::string("'") + SIGNET_PROGRAM + "' --help > /dev/full 2> '" + path("err") + "'";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_NE(slurp(path("err")).find("standard output"), std::string::npos);
}

// Each shell that is installed reads its script; bash is everywhere, and completes for the test.
TEST_F(CliTest, CompletionIsAScriptThatItsShellAccepts) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Outcome script = ok({"completion", shell});
    EXPECT_NE(script.out.find("search"), std::string::npos) << shell;
    testdata::write(path("completion." + shell), script.out);
    if (std::system(("command -v " + shell + " > '" + path("which") + "'").c_str()) != 0) continue;
    EXPECT_EQ(std::system((shell + " -n '" + path("completion." + shell) + "'").c_str()), 0) << shell;
  }
  // What the tab key offers behind these words, the last of which is being typed.
  const auto offered = [&](const std::vector<std::string>& words) {
    std::string quoted;
    for (const std::string& word : words) quoted += " '" + word + "'";
    testdata::write(path("tab.sh"), "cd '" + path("") + "'; source completion.bash; COMP_WORDS=('" + SIGNET_PROGRAM + "'" +
                                        quoted + "); COMP_CWORD=" + std::to_string(words.size()) +
                                        "; _signet; echo \"${COMPREPLY[*]}\"");
    EXPECT_EQ(std::system(("bash '" + path("tab.sh") + "' > '" + path("words") + "'").c_str()), 0);
    return " " + slurp(path("words")).substr(0, slurp(path("words")).find('\n')) + " ";
  };
  const auto offers = [&](const std::vector<std::string>& words, const std::string& one) {
    return offered(words).find(" " + one + " ") != std::string::npos;
  };
  EXPECT_EQ(offered({"dedup", "--keep"}), " --keep ");
  EXPECT_FALSE(offers({"dedup", "--"}, "--supervision"));  // its description speaks of it
  EXPECT_TRUE(offers({"collection", "cre"}, "create"));
  EXPECT_TRUE(offers({"collection", "create", "--"}, "--bits"));
  EXPECT_FALSE(offers({"collection", "create", "--"}, "--collection"));
  EXPECT_EQ(offered({"dedup", "app"}), " apply ");
  EXPECT_FALSE(offers({"dedup", "apply", "--"}, "--keep"));
  EXPECT_TRUE(offers({"dedup", "apply", "--"}, "--quiet"));
  EXPECT_TRUE(offers({"reproduce", "--fl"}, "--float32"));
  EXPECT_TRUE(offers({"completion", ""}, "fish"));
}

// The table of verbs names all sub-verbs that there are.
TEST_F(CliTest, CompletionKnowsTheSubVerbs) {
  const std::string script = ok({"completion", "bash"}).out;
  const auto words_of = [&](const std::string& verb) {
    const std::string before = "    " + verb + ") subs='";
    const auto begin = script.find(before) + before.size();
    return script.substr(begin, script.find('\'', begin) - begin);
  };
  std::string listed = signet({"collection", "nix"}).err;
  listed = listed.substr(listed.find("there are ") + 10);
  listed = listed.substr(0, listed.find_first_of("(\n"));
  std::erase(listed, ',');
  EXPECT_EQ(words_of("collection"), listed.substr(0, listed.find_last_not_of(' ') + 1));
  for (const std::string sub : {"apply", "undo", "verdict"}) {
    EXPECT_NE((" " + words_of("dedup") + " ").find(" " + sub + " "), std::string::npos) << sub;
    EXPECT_NE(ok({"dedup", sub, "--help"}).out.find("signet dedup " + sub), std::string::npos) << sub;
  }
}

// A search must answer at once: what takes a second to load may not be linked.
TEST_F(CliTest, TheProgramDoesNotLoadLibtorch) {
  const std::string list = path("libraries");
  ASSERT_EQ(std::system((std::string("ldd '") + SIGNET_PROGRAM + "' > '" + list + "'").c_str()), 0);
  const std::string libraries = slurp(list);
  EXPECT_NE(libraries.find("libc.so"), std::string::npos);  // ldd said something
  for (const char* heavy : {"libtorch", "libc10", "libpython"}) EXPECT_EQ(libraries.find(heavy), std::string::npos) << heavy;
}

// `signet train` is the program signet-train beside the running one, or in ../libexec/signet; nothing is looked for in PATH.
TEST_F(CliTest, TrainSaysWhereItLookedForTheTrainer) {
  std::filesystem::create_directories(path("bin"));
  std::filesystem::copy_file(SIGNET_PROGRAM, path("bin/signet"));
  const auto train = [&] { return Process(path("bin/signet"), {"train", "--bits", "12", "two words"}, path("output")).wait(); };
  const Outcome alone = train();
  EXPECT_EQ(alone.status, 3);
  EXPECT_EQ(alone.err.rfind("signet train: this build has no training program", 0), 0u) << alone.err;
  EXPECT_NE(alone.err.find(path("libexec/signet/signet-train")), std::string::npos) << alone.err;

  for (const char* place : {"libexec/signet/signet-train", "bin/signet-train"}) {
    testdata::write(path(place), std::string("#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n"));
    std::filesystem::permissions(path(place), std::filesystem::perms::owner_all);
    const Outcome passed_on = train();
    EXPECT_EQ(passed_on.status, 7) << place;
    EXPECT_EQ(passed_on.out, "--bits|12|two words|") << place;
    std::filesystem::remove(path(place));
  }
}

}  // namespace
}  // namespace signet::cli_test
