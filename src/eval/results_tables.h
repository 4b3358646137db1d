#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/svg_chart.h"
#include "signet/eval/results.h"

namespace signet::eval {

// The pages of results before they are Markdown or HTML.
struct ResultTable {
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;  // cells as plain text; the first is the row's name
  bool numbers_alone = false;                  // short cells, of which none is broken into lines
};

struct ResultPart {  // one protocol on one data set
  std::string heading;
  std::vector<std::string> text;
  std::vector<std::string> verdicts;  // who wins at each length; empty where signet stands beside no other method
  std::vector<ResultTable> tables;
  std::vector<LineChart> charts;
};

struct ResultSection {  // one plan
  std::string title, text;
  std::vector<ResultPart> parts;
};

std::vector<ResultSection> result_sections(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published);

// The headline records of signet's own rows, a protocol, data set and row a line; without lines where there are none.
ResultTable headlines(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published);

// Published rows whose protocol no record has.
ResultTable other_published(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published);

// Charts of one part: `rows` are its records, in table order.
std::vector<LineChart> result_charts(const std::string& id, const std::vector<const ResultRecord*>& rows);

}  // namespace signet::eval
