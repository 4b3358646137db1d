#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/code/code_matrix.h"

namespace signet {

// What `signet encode` leaves in a folder (docs/format/codes.md): codes.npy, keys.txt, labels.txt where known, codes.json with
// bits, count and the model's fingerprint. A folder is the unit that index, eval and store read.
struct CodeSet {
  CodeMatrix codes;
  std::vector<std::string> keys;                  // one per code, without line breaks
  std::vector<std::vector<std::int32_t>> labels;  // empty, or one list per code (an empty list: unknown)
  std::vector<std::string> class_names;           // index = label
  std::string model;                              // fingerprint, 64 hex digits; empty where unknown
  std::string root;                               // the folder or file that keys are relative to
};

// Throws kInvalidArgument where `folder` is no folder of codes (its codes.json, if any, is not signet's) and a file of a name
// that encode, shorten or an export would write or remove is there: it is somebody else's. For before long work.
void check_code_folder(FileSystem& fs, const std::string& folder);

// Removes what an older set has left beside its own files (outputs.npy, skipped.csv, records.jsonl, verdicts.jsonl), so that
// nobody binds it to these codes. Throws kInvalidArgument or kMismatch for a set that contradicts itself, kIo from the disk, and
// what check_code_folder() throws.
void write_code_set(FileSystem& fs, const std::string& folder, const CodeSet& set);
// Throws kCorrupt or kMismatch where the files contradict each other (counts, bits), naming both.
CodeSet read_code_set(FileSystem& fs, const std::string& folder);

}  // namespace signet
