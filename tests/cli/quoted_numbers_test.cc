#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "tests/cli/run_signet.h"

// The records of docs/results, and the documents that quote them: tests/cli/quoted_numbers.tsv says where their numbers come
// from; its first lines say how.
namespace signet::cli_test {
namespace {

std::string source(const std::string& name) { return std::string(SIGNET_SOURCE) + "/" + name; }

// document, number as quoted, and where it comes from.
using Quote = std::vector<std::string>;

std::vector<Quote> quotes() {
  std::vector<Quote> all;
  std::ifstream list(source("tests/cli/quoted_numbers.tsv"));
  for (std::string line; std::getline(list, line);) {
    if (line.starts_with('#')) continue;
    Quote fields;
    std::istringstream rest(line);
    for (std::string field; std::getline(rest, field, '\t');) fields.push_back(field);
    all.push_back(std::move(fields));
  }
  return all;
}

std::string text_of(const Quote& quote) {
  std::string text;
  for (const std::string& field : quote) text += field + " ";
  return text;
}

// "0.7286", "4,441": the number, and half a unit of its last digit (a hair more, for a mean that lies between two numbers).
std::pair<double, double> number_and_rounding(std::string quoted) {
  std::erase(quoted, ',');
  const std::size_t point = quoted.find('.');
  const std::size_t digits = point == std::string::npos ? 0 : quoted.size() - point - 1;
  return {std::stod(quoted), 0.5001 * std::pow(10, -static_cast<double>(digits))};
}

// Of all records of a plan, protocol, method and length: the mean of a key over seeds. Only those that are asked for are read:
// their names begin with these four.
class Means {
 public:
  Means() {
    for (const auto& entry : std::filesystem::directory_iterator(source("docs/results/records")))
      if (entry.path().extension() == ".json") names_.insert(entry.path().filename().string());
  }
  // NaN where there is no such record, or no such number in one of them.
  double of(const std::vector<std::string>& row, const std::string& key) {
    const std::vector<nlohmann::json>& found = records(row);
    if (found.empty()) return std::nan("");
    double sum = 0;
    for (const auto& r : found) sum += r.contains(key) && r[key].is_number() ? r[key].get<double>() : std::nan("");
    return sum / static_cast<double>(found.size());
  }

 private:
  const std::vector<nlohmann::json>& records(const std::vector<std::string>& row) {
    const std::string prefix = row[0] + "_" + row[1] + "_" + row[2] + "_" + row[3] + "_s";
    const auto [place, is_new] = records_.try_emplace(prefix);
    if (!is_new) return place->second;
    for (auto name = names_.lower_bound(prefix); name != names_.end() && name->starts_with(prefix); ++name) {
      const auto r = nlohmann::json::parse(slurp(source("docs/results/records/" + *name)));
      EXPECT_EQ((std::vector<std::string>{r["plan"], r["protocol"], r["method"], std::to_string(r["bits"].get<int>())}), row)
          << *name << " is not what its name says";
      place->second.push_back(r);
    }
    return place->second;
  }

  std::set<std::string> names_;
  std::map<std::string, std::vector<nlohmann::json>> records_;  // by prefix
};

// Numbers of three or four digits behind the point and at most a 0 before it, as shares are quoted: ".553", "0.7286".
std::set<std::string> shares_in(const std::string& text) {
  std::set<std::string> found;
  const auto digit = [&](std::size_t i) { return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); };
  for (std::size_t point = text.find('.'); point != std::string::npos; point = text.find('.', point + 1)) {
    std::size_t end = point + 1;
    while (digit(end)) ++end;
    const std::size_t digits = end - point - 1, begin = point > 0 && text[point - 1] == '0' ? point - 1 : point;
    const char before = begin > 0 ? text[begin - 1] : ' ';
    if (digits < 3 || digits > 4 || before == '.' || std::isalnum(static_cast<unsigned char>(before))) continue;
    found.insert(text.substr(begin, end - begin));
  }
  return found;
}

TEST(QuotedNumbers, AreThoseOfTheirSources) {
  Means means;
  std::size_t checked = 0;
  for (const Quote& quote : quotes()) {
    ASSERT_GE(quote.size(), 4u) << text_of(quote);
    EXPECT_NE(slurp(source(quote[0])).find(quote[1]), std::string::npos)
        << text_of(quote) << ": the document no longer says so; take the line out of quoted_numbers.tsv";
    if (quote[2] == "-") continue;
    ++checked;
    const auto [value, rounding] = number_and_rounding(quote[1]);
    if (quote[2].ends_with(".json")) {
      const auto output = nlohmann::json::parse(slurp(source(quote[2])));
      EXPECT_NEAR(value, output.at(nlohmann::json::json_pointer(quote[3])).get<double>(), rounding) << text_of(quote);
      continue;
    }
    ASSERT_GE(quote.size(), 6u) << text_of(quote);
    const double mean = means.of({quote.begin() + 2, quote.begin() + 6}, quote.size() > 6 ? quote[6] : "map");
    EXPECT_NEAR(value, mean, rounding) << text_of(quote);
  }
  EXPECT_GT(checked, 150u);
}

// Of the headline networks: more bits are never worse than twelve, and twelve reach what the paper prints, 0.99 and 0.74.
TEST(QuotedNumbers, HeadlinesKeepTheirPromises) {
  std::map<std::string, std::map<int, std::vector<double>>> maps;  // by protocol and method, then length
  for (const auto& entry : std::filesystem::directory_iterator(source("docs/results/records"))) {
    if (entry.path().extension() != ".json") continue;
    const std::string text = slurp(entry.path().string());
    if (text.find("\"headline\": true") == std::string::npos) continue;  // parsing all records takes seconds
    const auto r = nlohmann::json::parse(text);
    if (r.value("headline", false))
      maps[r["protocol"].get<std::string>() + " " + r["method"].get<std::string>()][r["bits"]].push_back(r["map"]);
  }
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  for (const auto& [row, lengths] : maps) {
    ASSERT_TRUE(lengths.contains(12)) << row;
    for (const auto& [bits, values] : lengths) EXPECT_GE(mean(values), mean(lengths.at(12))) << row << ", " << bits << " bits";
  }
  EXPECT_GE(mean(maps.at("mnist-heldout signet").at(12)), 0.99);
  EXPECT_GE(mean(maps.at("cifar10-heldout signet").at(12)), 0.74);
}

TEST(Documents, EveryPageIsInTheirIndex) {
  const std::string index = slurp(source("docs/README.md"));
  for (const auto& entry : std::filesystem::directory_iterator(source("docs"))) {
    const std::string name = entry.path().filename().string();
    if (name == "README.md" || name == "images") continue;
    EXPECT_NE(index.find("](" + name), std::string::npos) << "docs/README.md does not name " << name;
  }
}

TEST(QuotedNumbers, NoneIsWithoutASource) {
  std::map<std::string, std::set<std::string>> listed;
  for (const Quote& quote : quotes()) listed[quote[0]].insert(quote[1]);
  for (const char* document :
       {"README.md", "docs/method.md", "docs/train.md", "docs/rivals.md", "docs/baselines.md", "docs/reproduce.md",
        "docs/decisions/0107-headline-networks-are-nested.md", "docs/decisions/0111-defaults-of-the-loss.md"})
    for (const std::string& number : shares_in(slurp(source(document))))
      EXPECT_TRUE(listed[document].contains(number))
          << document << " says " << number << "; quoted_numbers.tsv does not say where from";
}

class RepositoryRecords : public CliTest {
 protected:
  // Those whose names have `part`.
  static Words records(const std::string& part) {
    Words files;
    for (const auto& entry : std::filesystem::directory_iterator(source("docs/results/records")))
      if (entry.path().extension() == ".json" && entry.path().filename().string().find(part) != std::string::npos)
        files.push_back(entry.path().string());
    return files;
  }
};

TEST_F(RepositoryRecords, AreComparedOldOnesWithoutAVerdict) {
  Words words = {"compare", "--json", "--rounds", "100", "--html", path("page.html")};
  const Words files = records("");
  words.insert(words.end(), files.begin(), files.end());
  ASSERT_GT(words.size(), 6u);
  const nlohmann::json all = ok(words).json();
  EXPECT_GT(all["sections"].size(), 1u);
  EXPECT_NE(slurp(path("page.html")).find("Precision against recall, 12 bits"), std::string::npos);
}

// What shows that the methods are those of their papers: the same features and protocol give what was printed (docs/baselines.md
// and docs/rivals.md say why SDH and CNNH are not among them).
TEST_F(RepositoryRecords, ReachWhatWasPrintedForTheSameFeatures) {
  const std::string published = source("plans/published.json");
  Words words = {"compare", "--json", "--rounds", "100", "--protocol", "cifar10-5k", "--published", published};
  const Words files = records("_cifar10-5k_");
  words.insert(words.end(), files.begin(), files.end());
  const std::set<std::string> same = {"lsh-gist", "itq-cca-gist", "ksh-gist", "ninh"};
  const nlohmann::json all = ok(words).json();
  std::map<std::string, int> checked;
  for (const auto& row : all["sections"][0]["rows"]) {
    const std::string method = row["method"];
    if (row["published"].is_null() || !same.contains(method)) continue;
    EXPECT_NEAR(row["map"]["mean"].get<double>(), row["published"]["map"].get<double>(), 0.03) << method << row["bits"];
    ++checked[method];
  }
  EXPECT_EQ(checked, (std::map<std::string, int>{{"itq-cca-gist", 3}, {"ksh-gist", 3}, {"lsh-gist", 3}, {"ninh", 2}}));
}

}  // namespace
}  // namespace signet::cli_test
