#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace signet {

// What a number means. Two numbers of different protocols are never put in one column.
struct Protocol {
  enum class Query { kTestAgainstTrain, kLeaveOneOut, kPerClassDraw, kUnseenClasses };
  std::string name;    // "fashion-full"
  std::string family;  // "fashion": which data set it is meant for; "" any
  Query query = Query::kTestAgainstTrain;
  std::size_t train_per_class = 0;             // kPerClassDraw: labelled training images a class
  std::size_t query_per_class = 0;             // kPerClassDraw: queries a class
  std::vector<std::int32_t> held_out_classes;  // kUnseenClasses; empty: the last three
  bool database_was_trained_on = false;        // allowed overlap of training set and database, printed beside the number
  std::size_t cutoff = 0;                      // R of mAP@R; 0: the whole database
  std::string relevance = "share a class label";
  std::string divisor = "relevant items in the database";
  std::string no_relevant = "left out of the mean, counted";
  std::string ties = "expected over random orders inside equal distances";
  std::string remark;  // one sentence for people: what the number says
};

// Those of docs/protocols.md: cifar10-full, cifar10-heldout, cifar10-5k, mnist-full, mnist-heldout, fashion-full,
// fashion-heldout, kaggle-face-full, kaggle-face-heldout, and the generic full, heldout, unseen-classes. Throws kUsage listing
// the names for any other.
const Protocol& find_protocol(const std::string& name);
std::vector<std::string> protocol_names();

// The split in words: "train: train part; queries: test part; database: train part".
std::string describe_split(const Protocol& protocol);

}  // namespace signet
