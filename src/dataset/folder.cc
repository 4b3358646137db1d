#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "dataset/listed.h"
#include "dataset/readers.h"
#include "dataset/tar.h"
#include "dataset/tree.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::reader {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxFolders = std::size_t{1} << 20;

using FolderId = std::pair<dev_t, ino_t>;

// All regular files below a folder, symbolic links followed. A folder below it that cannot be listed, and a link back to a folder
// that it lies in, is left out: one of them (lost+found on every disk) must not keep the others from being read. The folders
// above the root count too, or a link to one of them would bring in what lies beside it.
class Scan {
 public:
  explicit Scan(const std::string& root) : root_(root) {
    std::error_code none;
    std::filesystem::path above = std::filesystem::canonical(root, none);
    while (above != above.parent_path()) parents_.push_back(id_of(above = above.parent_path()));
    visit(root, "", 0);
  }
  std::vector<std::string> files, left_out;  // left_out: a sentence each

 private:
  static FolderId id_of(const std::string& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) fail(ErrorCode::kIo, "cannot read the folder ", folder);
    return {info.st_dev, info.st_ino};
  }

  void visit(const std::string& folder, const std::string& prefix, std::size_t depth) {
    const FolderId id = id_of(folder);
    if (std::find(parents_.begin(), parents_.end(), id) != parents_.end()) {
      left_out.push_back(concat(folder, ": is a symbolic link that leads back into a folder it lies in"));
      return;
    }
    if (depth >= kMaxDepth) {
      fail(ErrorCode::kInvalidArgument, folder, ": lies more than ", kMaxDepth, " folders below ", root_,
           "; point to a folder nearer to the pictures");
    }
    if (++folders_ > kMaxFolders) {  // links between folders multiply the ways through them
      fail(ErrorCode::kInvalidArgument, root_, ": holds more than ", kMaxFolders,
           " folders, each counted once a way that leads to it; point to a part of it, or remove links between its folders");
    }
    std::vector<std::string> names;
    try {
      names = real_file_system().list(folder);
    } catch (const Error& error) {
      if (depth == 0) throw;
      left_out.emplace_back(error.what());
      return;
    }
    parents_.push_back(id);
    struct stat info {};
    for (const std::string& name : names) {
      if (name.starts_with('.')) continue;
      const std::string path = join_path(folder, name), relative = prefix + name;
      if (::stat(path.c_str(), &info) != 0) {
        // A dangling link or a loop: kept where it is named like a picture, so that get() reports it by its key.
        if (has_picture_name(name)) files.push_back(relative);
      } else if (S_ISDIR(info.st_mode)) {
        visit(path, relative + "/", depth + 1);
      } else if (S_ISREG(info.st_mode)) {
        files.push_back(relative);
      }
    }
    parents_.pop_back();
  }

  const std::string& root_;
  std::vector<FolderId> parents_;  // of the folder that is being read, from the top of the disk
  std::size_t folders_ = 0;
};

// Tars named by split in a folder that holds no pictures of its own: train.tar, test.tar.
std::vector<std::string> tars_by_split(const std::string& folder) {
  std::vector<std::string> tars;
  for (const std::string& name : real_file_system().list(folder)) {
    if (name.starts_with('.')) continue;
    const std::string path = join_path(folder, name);
    if (is_folder(path) || has_picture_name(name)) return {};
    if (!name.ends_with(".tar")) continue;
    if (!canonical_split(name.substr(0, name.size() - 4))) return {};
    tars.push_back(name);
  }
  return tars;
}

struct Archive {
  std::string path;
  std::unique_ptr<ReadableFile> file;
  std::vector<TarMember> members;
};

// Archives and their members as one tree. TreeFile::source counts members through all archives.
struct Archives {
  std::vector<Archive> list;
  std::vector<TreeFile> files;
  std::vector<std::size_t> sources;  // of each sample

  void add(const std::string& path, const std::string& path_prefix, const std::string& key_prefix) {
    Archive archive{path, real_file_system().open(path), {}};
    archive.members = list_tar(*archive.file, path);
    for (const TarMember& member : archive.members)
      files.push_back({path_prefix + member.name, key_prefix + member.name, files.size()});
    list.push_back(std::move(archive));
  }

  std::pair<const Archive&, const TarMember&> member(std::size_t sample) const {
    std::size_t source = sources[sample], a = 0;
    while (source >= list[a].members.size()) source -= list[a++].members.size();
    return {list[a], list[a].members[source]};
  }

  static std::string name_of(const Archive& archive, const TarMember& found) { return concat(archive.path, ":", found.name); }

  std::vector<std::byte> bytes(std::size_t sample, const DecodeLimits& limits) const {
    const auto& [archive, found] = member(sample);
    const std::string name = name_of(archive, found);
    if (found.size > limits.max_bytes)  // before it is read, as decode_image would
      fail(ErrorCode::kInvalidArgument, name, ": is ", found.size, " bytes; at most ", limits.max_bytes, " are read");
    std::vector<std::byte> bytes(found.size);
    read_fully(*archive.file, found.offset, bytes, name);
    return bytes;
  }

  Image load(std::size_t sample, const DecodeLimits& limits) const {
    const auto& [archive, found] = member(sample);
    return decode_image(bytes(sample, limits), name_of(archive, found), limits);
  }
};

// One archive, or a folder of them.
Archives read_archives(const std::string& path) {
  Archives archives;
  if (!is_folder(path)) {
    archives.add(path, "", "");
    return archives;
  }
  for (const std::string& name : tars_by_split(path)) {
    archives.add(join_path(path, name), name.substr(0, name.size() - 4) + "/", name + "/");
  }
  return archives;
}

Listed::Parts parts_of(const Tree& tree, const std::vector<TreeFile>& files, std::string description) {
  Listed::Parts parts;
  parts.class_names = tree.class_names;
  parts.splits = tree.splits;
  parts.description = std::move(description);
  for (const TreeSample& sample : tree.samples) {
    parts.add(files[sample.file].key, std::span(&sample.label, sample.label >= 0 ? 1 : 0));
    if (!tree.splits.empty()) parts.split_of.push_back(sample.split);
  }
  return parts;
}

std::vector<TreeFile> folder_files(const std::string& path, std::vector<std::string>& left_out) {
  Scan scan(path);
  left_out = std::move(scan.left_out);
  if (!left_out.empty() && std::none_of(scan.files.begin(), scan.files.end(), has_picture_name))
    fail(ErrorCode::kIo, path, ": holds no pictures that can be reached: ", left_out.front());
  std::vector<TreeFile> files;
  for (const std::string& file : scan.files) files.push_back({file, file, files.size()});
  return files;
}

Image load_file(const std::string& path, const DecodeLimits& limits) {
  const std::unique_ptr<MappedFile> file = real_file_system().map(path);
  return decode_image(file->data(), path, limits);
}

std::shared_ptr<const Dataset> open_archives(const std::string& path, const DatasetOptions& options, const char* kind) {
  const auto archives = std::make_shared<Archives>(read_archives(path));
  const Tree tree = arrange_tree(archives->files, options.split, path);
  Listed::Parts parts = parts_of(tree, archives->files, describe_tree(kind, tree));
  for (const TreeSample& sample : tree.samples) archives->sources.push_back(archives->files[sample.file].source);
  archives->files = {};  // keys are in parts now
  parts.encoded_bytes = [archives](std::size_t i) -> std::uint64_t { return archives->member(i).second.size; };
  parts.encoded = [archives, limits = options.limits](std::size_t i) { return archives->bytes(i, limits); };
  parts.load = [archives, limits = options.limits](std::size_t i, const std::string&) { return archives->load(i, limits); };
  return std::make_shared<Listed>(std::move(parts));
}

}  // namespace

std::shared_ptr<const Dataset> open_tar(const std::string& path, const DatasetOptions& options) {
  return open_archives(path, options, "tar");
}

std::vector<std::string> tar_files(const std::string& path) {
  if (!is_folder(path)) return {path};
  std::vector<std::string> files = tars_by_split(path);
  for (std::string& file : files) file = join_path(path, file);
  return files;
}

std::vector<std::string> tar_splits(const std::string& path) { return arrange_tree(read_archives(path).files, "", path).splits; }

std::shared_ptr<const Dataset> open_folder(const std::string& path, const DatasetOptions& options) {
  if (is_folder(path) && !tars_by_split(path).empty()) return open_archives(path, options, "folder of tars");
  if (!is_folder(path)) {
    select_split(path, {}, options.split);
    Listed::Parts parts;
    parts.add(file_name(path), {});
    parts.description = "one picture, unlabelled";
    parts.load = [path, limits = options.limits](std::size_t, const std::string&) { return load_file(path, limits); };
    return std::make_shared<Listed>(std::move(parts));
  }
  std::vector<std::string> left_out;
  const std::vector<TreeFile> files = folder_files(path, left_out);
  const Tree tree = arrange_tree(files, options.split, path);
  Listed::Parts parts = parts_of(tree, files, describe_tree("folder", tree));
  if (!left_out.empty()) parts.description += concat(", ", counted(left_out.size(), "folder"), " that cannot be read left out");
  parts.left_out = std::move(left_out);
  parts.load = [path, limits = options.limits](std::size_t, const std::string& key) {
    return load_file(join_path(path, key), limits);
  };
  return std::make_shared<Listed>(std::move(parts));
}

std::vector<std::string> folder_splits(const std::string& path) {
  if (!is_folder(path)) return {};
  if (!tars_by_split(path).empty()) return tar_splits(path);
  std::vector<std::string> left_out;
  return arrange_tree(folder_files(path, left_out), "", path).splits;
}

}  // namespace signet::reader
