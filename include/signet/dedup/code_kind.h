#pragma once

#include <string>

namespace signet {

// What a model has learned to tell apart, and with it what near codes say of two pictures.
enum class CodeKind {
  kClass,     // kinds of pictures: near codes are of one kind, of a copy as of another picture
  kInstance,  // one picture from another: near codes are of copies
  kNeither,   // nothing that somebody named: codes follow what pictures look like, as perceptual hashes do
  kUnknown,   // the record does not say
};

// By the training record of a model (ModelInfo). Methods that learn from labels tell classes apart, and so does whatever stands
// on the features of a network. kUnknown for what is no record, and for one that names no method of this version.
CodeKind code_kind(const std::string& training_record);

}  // namespace signet
