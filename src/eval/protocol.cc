#include "signet/eval/protocol.h"

#include <algorithm>

#include "signet/base/error.h"

namespace signet {
namespace {

constexpr const char* kFullRemark =
    "Test images ask, the training images answer. The database was trained on, so the number follows the test accuracy closely.";
constexpr const char* kHeldoutRemark =
    "Each test image asks among the other test images. Nothing in the database was trained on: the honest reading of retrieval "
    "on new images.";

Protocol full(const std::string& family) {
  Protocol p;
  p.name = family.empty() ? "full" : family + "-full";
  p.family = family;
  p.query = Protocol::Query::kTestAgainstTrain;
  p.database_was_trained_on = true;
  p.remark = kFullRemark;
  return p;
}

Protocol heldout(const std::string& family) {
  Protocol p;
  p.name = family.empty() ? "heldout" : family + "-heldout";
  p.family = family;
  p.query = Protocol::Query::kLeaveOneOut;
  p.divisor = "relevant items in the database, the query itself left out";
  p.remark = kHeldoutRemark;
  return p;
}

std::vector<Protocol> make_protocols() {
  std::vector<Protocol> all;
  for (const char* family : {"cifar10", "mnist", "fashion", "kaggle-face"}) {
    all.push_back(full(family));
    all.push_back(heldout(family));
  }
  Protocol draw;
  draw.name = "cifar10-5k";
  draw.family = "cifar10";
  draw.query = Protocol::Query::kPerClassDraw;
  draw.train_per_class = 500;
  draw.query_per_class = 100;
  draw.database_was_trained_on = true;
  draw.remark =
      "500 labelled images a class train, 100 a class ask, all 59,000 others answer; the 5,000 trained on are among them. The "
      "family of the "
      "CNNH and NINH tables.";
  all.insert(all.begin() + 2, draw);
  all.push_back(full(""));
  all.push_back(heldout(""));
  Protocol unseen;
  unseen.name = "unseen-classes";
  unseen.query = Protocol::Query::kUnseenClasses;
  unseen.remark =
      "The last three classes are kept from training; their test images ask among their other images. What supervised codes are "
      "worth on "
      "classes that they never saw (Sablayrolles et al. 2017).";
  all.push_back(unseen);
  return all;
}

const std::vector<Protocol>& protocols() {
  static const std::vector<Protocol> kAll = make_protocols();
  return kAll;
}

}  // namespace

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const Protocol& p : protocols()) names.push_back(p.name);
  return names;
}

const Protocol& find_protocol(const std::string& name) {
  const auto found = std::find_if(protocols().begin(), protocols().end(), [&](const Protocol& p) { return p.name == name; });
  if (found != protocols().end()) return *found;
  std::string names;
  for (const std::string& n : protocol_names()) names += names.empty() ? n : ", " + n;
  fail(ErrorCode::kUsage, "no protocol is called '", name, "'; there are ", names);
}

std::string describe_split(const Protocol& p) {
  switch (p.query) {
    case Protocol::Query::kTestAgainstTrain:
      return "train: train part; queries: test part; database: train part";
    case Protocol::Query::kLeaveOneOut:
      return "train: train part; queries: each image of the test part; database: the other images of the test part";
    case Protocol::Query::kPerClassDraw:
      return concat("train: ", p.train_per_class, " images a class; queries: ", p.query_per_class,
                    " images a class; database: every image that is no query; drawn by seed from both parts");
    case Protocol::Query::kUnseenClasses:
      return "train: train part without the held-out classes; queries: their images in the test part; database: their images in "
             "the train part";
  }
  return {};
}

}  // namespace signet
