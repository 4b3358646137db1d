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

// tests/cli/quoted_numbers.tsv says where numbers in documents come from; its first lines say how.
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

// Of all records of a plan, protocol, method and length: the mean of a key over seeds.
class Means {
 public:
  Means() {
    for (const auto& entry : std::filesystem::directory_iterator(source("docs/results/records"))) {
      if (entry.path().extension() != ".json") continue;
      nlohmann::json r = nlohmann::json::parse(slurp(entry.path().string()));
      const auto text = [&r](const char* key) { return r[key].get<std::string>(); };
      records_[{text("plan"), text("protocol"), text("method"), std::to_string(r["bits"].get<int>())}].push_back(std::move(r));
    }
  }
  // NaN where there is no such record, or no such number in one of them.
  double of(const std::vector<std::string>& row, const std::string& key) const {
    const auto found = records_.find(row);
    if (found == records_.end()) return std::nan("");
    double sum = 0;
    for (const auto& r : found->second) sum += r.contains(key) && r[key].is_number() ? r[key].get<double>() : std::nan("");
    return sum / static_cast<double>(found->second.size());
  }

 private:
  std::map<std::vector<std::string>, std::vector<nlohmann::json>> records_;
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
  const Means means;
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

}  // namespace
}  // namespace signet::cli_test
