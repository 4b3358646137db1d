#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/dataset/dataset.h"

// The readers of this room, one source file each, and what they share. open.cc chooses among them.
namespace signet::reader {

std::shared_ptr<const Dataset> open_idx(const std::string& path, const DatasetOptions& options);
std::shared_ptr<const Dataset> open_cifar(const std::string& path, const DatasetOptions& options);
std::shared_ptr<const Dataset> open_folder(const std::string& path, const DatasetOptions& options);  // also one picture file
std::shared_ptr<const Dataset> open_tar(const std::string& path, const DatasetOptions& options);
std::shared_ptr<const Dataset> open_manifest(const std::string& path, const DatasetOptions& options);

std::vector<std::string> idx_splits(const std::string& path);
std::vector<std::string> cifar_splits(const std::string& path);
std::vector<std::string> folder_splits(const std::string& path);
std::vector<std::string> tar_splits(const std::string& path);
std::vector<std::string> manifest_splits(const std::string& path);

// As dataset_files, of one format. Of a folder of pictures: the tars named by split that it holds instead.
std::vector<std::string> idx_files(const std::string& path);
std::vector<std::string> cifar_files(const std::string& path);
std::vector<std::string> tar_files(const std::string& path);

bool has_idx_files(const std::string& folder);
bool has_cifar_files(const std::string& folder);
bool is_cifar_size(std::uint64_t bytes) noexcept;

// "train", "val" or "test" for their usual names in any case ("training", "validation", "t10k", ...); nothing for others.
std::optional<std::string> canonical_split(const std::string& name);

// Orders "train", "val", "test" first, then others by name, and removes doubles.
std::vector<std::string> in_split_order(std::vector<std::string> splits);

// The split that `wanted` selects of those that `path` holds; empty for an empty wish. Throws kNotFound naming those there are.
std::string select_split(const std::string& path, const std::vector<std::string>& held, const std::string& wanted);

bool is_folder(const std::string& path) noexcept;

// Whether a name ends like a picture's, in any case. Names of kinds that signet does not decode count too: such a picture is then
// reported, by its key, and not silently left out.
bool has_picture_name(const std::string& name);

// "1 picture", "2 pictures".
std::string counted(std::size_t count, const char* noun);

// Fills `out` with the bytes from `offset` on. What is read after a data set was opened is read in this way and not from a
// mapping: somebody may cut the file short meanwhile, and touching a mapping beyond the end kills. Throws kIo naming `path` where
// the bytes are not there any more.
void read_fully(const ReadableFile& file, std::uint64_t offset, std::span<std::byte> out, const std::string& path);

[[noreturn]] void fail_range(const Dataset& dataset, std::size_t i);

}  // namespace signet::reader
