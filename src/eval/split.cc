#include "signet/eval/split.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using Labels = std::span<const std::vector<std::int32_t>>;

std::vector<std::size_t> range(std::size_t begin, std::size_t end) {
  std::vector<std::size_t> all(end - begin);
  std::iota(all.begin(), all.end(), begin);
  return all;
}

// Images by class, through both parts. An image of several labels stands under each of them; one without labels under none.
std::map<std::int32_t, std::vector<std::size_t>> by_class(Labels train, Labels test) {
  std::map<std::int32_t, std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < train.size() + test.size(); ++i) {
    const auto& labels = i < train.size() ? train[i] : test[i - train.size()];
    for (const std::int32_t label : std::set<std::int32_t>(labels.begin(), labels.end())) classes[label].push_back(i);
  }
  return classes;
}

void need_part(const Protocol& p, const char* part, std::size_t size, std::size_t least) {
  if (size >= least) return;
  fail(ErrorCode::kInvalidArgument, "protocol ", p.name, " needs ", least, " or more images in the ", part,
       " part, but there are ", size);
}

// Queries first, then training images, from one shuffle a class: the same seed draws the same queries whatever the training size
// is.
void draw_per_class(const Protocol& p, Labels train, Labels test, EvalSplit& split) {
  std::set<std::size_t> query, learned;
  for (auto& [label, images] : by_class(train, test)) {
    if (images.size() <= p.query_per_class + p.train_per_class) {
      fail(ErrorCode::kInvalidArgument, "protocol ", p.name, " draws ", p.query_per_class, " queries and ", p.train_per_class,
           " training images a class, but class ", label, " has only ", images.size(), " images");
    }
    Random random(mix_seed(split.seed, static_cast<std::uint64_t>(static_cast<std::int64_t>(label))));
    random.shuffle(std::span<std::size_t>(images));
    const auto middle = images.begin() + static_cast<std::ptrdiff_t>(p.query_per_class);
    query.insert(images.begin(), middle);
    learned.insert(middle, middle + static_cast<std::ptrdiff_t>(p.train_per_class));
  }
  const std::vector<std::size_t> all = range(0, train.size() + test.size());
  split.query.assign(query.begin(), query.end());
  // With several labels an image may have been drawn twice: it stays a query.
  std::set_difference(learned.begin(), learned.end(), query.begin(), query.end(), std::back_inserter(split.train));
  std::set_difference(all.begin(), all.end(), query.begin(), query.end(), std::back_inserter(split.database));
}

void hold_out_classes(const Protocol& p, Labels train, Labels test, EvalSplit& split) {
  const auto classes = by_class(train, test);
  std::set<std::int32_t> held(p.held_out_classes.begin(), p.held_out_classes.end());
  if (held.empty()) {
    constexpr std::size_t kHeld = 3;
    if (classes.size() < kHeld + 2) {
      fail(ErrorCode::kInvalidArgument, "protocol ", p.name, " keeps ", kHeld,
           " classes from training and needs two or more besides, but there are ", classes.size(), " classes");
    }
    auto it = classes.rbegin();
    for (std::size_t i = 0; i < kHeld; ++i, ++it) held.insert(it->first);
  }
  const auto is_held = [&](std::int32_t label) { return held.contains(label); };
  for (std::size_t i = 0; i < train.size(); ++i) {
    // An image of several labels trains only if it shows none of the held-out classes.
    const bool unseen = std::any_of(train[i].begin(), train[i].end(), is_held);
    (unseen ? split.database : split.train).push_back(i);
  }
  for (std::size_t i = 0; i < test.size(); ++i) {
    if (std::any_of(test[i].begin(), test[i].end(), is_held)) split.query.push_back(train.size() + i);
  }
  const auto need = [&](const char* what, const std::vector<std::size_t>& images) {
    if (images.empty()) fail(ErrorCode::kInvalidArgument, "protocol ", p.name, " finds no ", what, " among its held-out classes");
  };
  need("queries", split.query);
  need("database images", split.database);
  if (split.train.empty()) fail(ErrorCode::kInvalidArgument, "protocol ", p.name, " leaves no class to train on");
}

const char* sets_of(OverlapKind kind) {
  switch (kind) {
    case OverlapKind::kQueryDatabase:
      return "the queries and the database";
    case OverlapKind::kQueryTrain:
      return "the queries and the training set";
    case OverlapKind::kDatabaseTrain:
      return "the database and the training set";
  }
  return "two sets";
}

}  // namespace

EvalSplit split_for(const Protocol& p, Labels train, Labels test, std::uint64_t seed) {
  EvalSplit split;
  split.train_size = train.size();
  split.test_size = test.size();
  const std::size_t n = train.size() + test.size();
  switch (p.query) {
    case Protocol::Query::kTestAgainstTrain:
      need_part(p, "train", train.size(), 1);
      need_part(p, "test", test.size(), 1);
      split.train = split.database = range(0, train.size());
      split.query = range(train.size(), n);
      break;
    case Protocol::Query::kLeaveOneOut:
      need_part(p, "test", test.size(), 2);
      split.train = range(0, train.size());
      split.query = split.database = range(train.size(), n);
      split.leave_one_out = true;
      break;
    case Protocol::Query::kPerClassDraw:
      need_part(p, "train and test", n, 1);
      split.seed = seed;
      draw_per_class(p, train, test, split);
      break;
    case Protocol::Query::kUnseenClasses:
      need_part(p, "train", train.size(), 1);
      need_part(p, "test", test.size(), 1);
      hold_out_classes(p, train, test, split);
      break;
  }
  return split;
}

OverlapVerdict judge_overlap(const Protocol& p, OverlapKind kind, std::size_t count, const std::string& example) {
  if (count == 0) return {};
  OverlapVerdict verdict;
  verdict.allowed = kind == OverlapKind::kDatabaseTrain && p.database_was_trained_on;
  verdict.message = concat(count, count == 1 ? " image is" : " images are", " both in ", sets_of(kind));
  if (!example.empty()) verdict.message += concat(" (", example, ")");
  verdict.message +=
      concat(verdict.allowed ? ", as protocol " : ", which protocol ", p.name,
             verdict.allowed ? " has it: the database was trained on" : " forbids; remove the copies from one of them");
  return verdict;
}

void require_allowed(const OverlapVerdict& verdict) {
  if (!verdict.allowed) fail(ErrorCode::kInvalidArgument, verdict.message);
}

}  // namespace signet
