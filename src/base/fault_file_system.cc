#include "signet/base/fault_file_system.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using Bytes = std::vector<std::byte>;

// What the disk knows of one file. Its durable content is the first `synced` bytes of the real file, or `kept` where that is set:
// the file was truncated, replaced or removed since.
struct Node {
  std::uint64_t written = 0;
  std::uint64_t synced = 0;
  std::optional<Bytes> kept;
  bool doomed = false;  // a sync failed: what was unsynced then never becomes durable
};
using NodePtr = std::shared_ptr<Node>;

// A change of a folder that sync_directory() has not made durable yet.
struct FolderChange {
  enum class Kind { kCreate, kRemove, kRemoveFolder, kRename, kCreateFolder } kind;
  std::string path;  // the name made, removed or renamed to
  std::string from;  // kRename: the old name
  NodePtr gone;      // kRemove, kRename: the file that had the name `path` before
};

std::string normal(const std::string& path) {
  std::string text = std::filesystem::absolute(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

bool is_folder(FileSystem& fs, const std::string& path) {
  try {
    fs.list(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void remove_tree(FileSystem& fs, const std::string& path) {
  if (is_folder(fs, path)) {
    for (const std::string& name : fs.list(path)) remove_tree(fs, join_path(path, name));
  }
  fs.remove(path);
}

// By a new file and a rename, so that a mapping of the old content stays what it was.
void replace_content(FileSystem& fs, const std::string& path, std::span<const std::byte> content) {
  const std::string temp = temp_path(path);
  const std::unique_ptr<WritableFile> file = fs.create(temp);
  file->append(content);
  file->close();
  fs.rename(temp, path);
}

enum class Applies { kToAll, kToGrowing };  // kToGrowing: operations that need space

}  // namespace

struct FaultFileSystem::State {
  explicit State(FileSystem& fs) : beneath(fs) {}

  FileSystem& beneath;
  mutable std::mutex mutex;
  std::uint64_t operations = 0;
  std::vector<std::string> log;
  std::uint64_t fault_at = 0;  // 0: none
  Fault fault = Fault::kIoError;
  bool persistent = false;
  bool hit = false;
  bool power = true;
  std::uint64_t boot = 0;                // grows with every loss of power; handles of an earlier boot are dead
  std::map<std::string, NodePtr> nodes;  // files seen so far, by their present name
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> unreadable;
  std::vector<FolderChange> pending;

  void check_power(const std::string& path) const {
    if (!power) fail(ErrorCode::kIo, "cannot use ", path, ": the power is off (injected)");
  }

  // Counts the operation and says what must go wrong with it.
  std::optional<Fault> begin(const std::string& line, const std::string& path, Applies applies) {
    check_power(path);
    log.push_back(line);
    ++operations;
    const bool due = fault_at != 0 && (operations == fault_at || (persistent && operations > fault_at));
    if (!due || (fault == Fault::kNoSpace && applies != Applies::kToGrowing)) return std::nullopt;
    hit = true;
    if (fault == Fault::kPowerLoss) power = false;
    return fault;
  }

  [[noreturn]] static void raise(Fault fault, const std::string& path) {
    const char* text = fault == Fault::kIoError   ? "Input/output error"
                       : fault == Fault::kNoSpace ? "No space left on device"
                                                  : "the power is off";
    fail(ErrorCode::kIo, "cannot write ", path, ": ", text, " (injected)");
  }

  void begin_or_raise(const std::string& verb, const std::string& path, Applies applies) {
    if (const auto wrong = begin(concat(verb, " ", path), path, applies)) raise(*wrong, path);
  }

  // The node of an existing file; what was there before is durable.
  NodePtr adopt(const std::string& path) {
    if (const auto found = nodes.find(path); found != nodes.end()) return found->second;
    auto node = std::make_shared<Node>();
    node->written = node->synced = beneath.size(path);
    nodes[path] = node;
    return node;
  }

  // Takes the durable content into memory before the real file loses it.
  void keep(Node& node, const std::string& path) const {
    if (node.kept) return;
    Bytes content = read_file(beneath, path, ~std::uint64_t{0});
    content.resize(std::min<std::uint64_t>(content.size(), node.synced));
    node.kept = std::move(content);
  }

  // Renames `from` and everything below it in the table of files.
  void move_names(const std::string& from, const std::string& to) {
    std::map<std::string, NodePtr> moved;
    for (const auto& [path, node] : nodes) {
      const bool below = path == from || path.starts_with(from + "/");
      moved[below ? to + path.substr(from.size()) : path] = node;
    }
    nodes = std::move(moved);
  }

  void forget_below(const std::string& folder) {
    std::erase_if(nodes, [&](const auto& entry) { return entry.first.starts_with(folder + "/"); });
  }

  void restore(const std::string& path, const NodePtr& node) {
    beneath.create(path)->close();
    nodes[path] = node;  // its content is in `kept` and comes back with that of all others
  }

  void undo(const FolderChange& change) {
    switch (change.kind) {
      case FolderChange::Kind::kCreate:
        beneath.remove(change.path);
        nodes.erase(change.path);
        break;
      case FolderChange::Kind::kRemove:
        restore(change.path, change.gone);
        break;
      case FolderChange::Kind::kRemoveFolder:
        beneath.create_directory(change.path);
        break;
      case FolderChange::Kind::kRename:
        beneath.rename(change.path, change.from);
        move_names(change.path, change.from);
        if (change.gone) restore(change.path, change.gone);
        break;
      case FolderChange::Kind::kCreateFolder:
        remove_tree(beneath, change.path);
        forget_below(change.path);
        break;
    }
  }

  // What the disk has of a file after the loss of power. `luck`: null for the least.
  Bytes surviving(const Node& node, const Bytes& real, Random* luck) const {
    std::uint64_t length = std::min<std::uint64_t>(node.synced, real.size());
    if (luck != nullptr && !node.doomed) length += luck->below(real.size() - length + 1);
    if (node.kept && (luck == nullptr || node.doomed || luck->below(2) == 0)) return *node.kept;
    return {real.begin(), real.begin() + static_cast<std::ptrdiff_t>(length)};
  }

  void lose_power(std::uint64_t seed) {
    Random random(seed);
    Random* luck = seed == 0 ? nullptr : &random;
    const std::size_t survive = luck == nullptr ? 0 : luck->below(pending.size() + 1);
    for (std::size_t i = pending.size(); i > survive; --i) undo(pending[i - 1]);
    pending.clear();
    for (const auto& [path, node] : nodes) {
      if (!beneath.exists(path)) continue;  // removed by somebody who does not go through this object
      const Bytes real = read_file(beneath, path, ~std::uint64_t{0});
      const Bytes content = surviving(*node, real, luck);
      if (content != real) replace_content(beneath, path, content);
    }
    nodes.clear();
    ++boot;
    power = true;
    fault_at = 0;
  }

  // Drops what sync_directory(folder) makes durable. A rename out of another folder drags along that folder's earlier changes,
  // since a later change must not survive an earlier one of the same name.
  void make_durable(const std::string& folder) {
    std::vector<std::string> folders{folder};
    for (std::size_t i = pending.size(); i-- > 0;) {
      const FolderChange& change = pending[i];
      const auto listed = [&](const std::string& path) {
        return std::find(folders.begin(), folders.end(), path) != folders.end();
      };
      if (!listed(parent_path(change.path))) continue;
      if (change.kind == FolderChange::Kind::kRename && !listed(parent_path(change.from)))
        folders.push_back(parent_path(change.from));
      pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
};

class FaultFileSystem::File final : public WritableFile {
 public:
  File(std::shared_ptr<State> state, std::unique_ptr<WritableFile> real, NodePtr node, std::string path)
      : state_(std::move(state)), real_(std::move(real)), node_(std::move(node)), path_(std::move(path)), boot_(state_->boot) {}

  void append(std::span<const std::byte> data) override {
    const std::lock_guard lock(state_->mutex);
    check_alive();
    const auto wrong = state_->begin(concat("append ", path_, " ", data.size()), path_, Applies::kToGrowing);
    const std::span<const std::byte> done = wrong ? data.first(data.size() / 2) : data;
    real_->append(done);
    node_->written += done.size();
    if (wrong) State::raise(*wrong, path_);
  }

  void sync() override {
    const std::lock_guard lock(state_->mutex);
    check_alive();
    if (const auto wrong = state_->begin(concat("sync ", path_), path_, Applies::kToAll)) {
      if (*wrong == Fault::kIoError) node_->doomed = true;
      State::raise(*wrong, path_);
    }
    if (node_->doomed) return;
    node_->synced = node_->written;
    node_->kept.reset();
  }

  void close() override { real_->close(); }

 private:
  void check_alive() const {
    if (boot_ != state_->boot) fail(ErrorCode::kIo, "cannot write ", path_, ": it was open when the power went (injected)");
  }
  std::shared_ptr<State> state_;
  std::unique_ptr<WritableFile> real_;
  NodePtr node_;
  std::string path_;
  std::uint64_t boot_;
};

class FaultFileSystem::Reading final : public ReadableFile {
 public:
  Reading(std::shared_ptr<State> state, std::unique_ptr<ReadableFile> real, std::string path)
      : state_(std::move(state)), real_(std::move(real)), path_(std::move(path)) {}
  std::uint64_t size() const noexcept override { return real_->size(); }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::lock_guard lock(state_->mutex);
    state_->check_power(path_);
    const auto found = state_->unreadable.find(path_);
    if (found != state_->unreadable.end() && offset < found->second.second && offset + out.size() > found->second.first) {
      if (offset >= found->second.first) fail(ErrorCode::kIo, "cannot read ", path_, ": Input/output error (injected)");
      out = out.first(found->second.first - offset);
    }
    return real_->read(offset, out);
  }

 private:
  std::shared_ptr<State> state_;
  std::unique_ptr<ReadableFile> real_;
  std::string path_;
};

FaultFileSystem::FaultFileSystem(FileSystem& beneath) : state_(std::make_shared<State>(beneath)) {}
FaultFileSystem::~FaultFileSystem() = default;

std::uint64_t FaultFileSystem::operations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->operations;
}

std::vector<std::string> FaultFileSystem::log() const {
  const std::lock_guard lock(state_->mutex);
  return state_->log;
}

void FaultFileSystem::fail_at(std::uint64_t operation, Fault fault, bool persistent) {
  const std::lock_guard lock(state_->mutex);
  state_->fault_at = operation;
  state_->fault = fault;
  state_->persistent = persistent;
  state_->hit = false;
}

void FaultFileSystem::clear_fault() {
  const std::lock_guard lock(state_->mutex);
  state_->fault_at = 0;
}

bool FaultFileSystem::fault_hit() const {
  const std::lock_guard lock(state_->mutex);
  return state_->hit;
}

void FaultFileSystem::fail_reads(const std::string& path, std::uint64_t from, std::uint64_t to) {
  const std::lock_guard lock(state_->mutex);
  state_->unreadable[normal(path)] = {from, to};
}

void FaultFileSystem::lose_power(std::uint64_t seed) {
  const std::lock_guard lock(state_->mutex);
  state_->lose_power(seed);
}

std::unique_ptr<WritableFile> FaultFileSystem::create(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal(path);
  state_->begin_or_raise("create", name, Applies::kToGrowing);
  const bool existed = state_->beneath.exists(name);
  NodePtr node = existed ? state_->adopt(name) : std::make_shared<Node>();
  if (existed) state_->keep(*node, name);
  std::unique_ptr<WritableFile> real = state_->beneath.create(name);
  node->written = node->synced = 0;
  node->doomed = false;
  state_->nodes[name] = node;
  if (!existed) state_->pending.push_back({FolderChange::Kind::kCreate, name, "", nullptr});
  return std::make_unique<File>(state_, std::move(real), std::move(node), name);
}

std::unique_ptr<ReadableFile> FaultFileSystem::open(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->check_power(path);
  return std::make_unique<Reading>(state_, state_->beneath.open(path), normal(path));
}

std::unique_ptr<MappedFile> FaultFileSystem::map(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->check_power(path);
  if (state_->unreadable.contains(normal(path)))
    fail(ErrorCode::kInternal, "cannot map ", path, ": touching all of it would end the process (injected)");
  return state_->beneath.map(path);
}

void FaultFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const std::string old_name = normal(from);
  const std::string new_name = normal(to);
  state_->begin_or_raise("rename " + old_name, new_name, Applies::kToAll);
  NodePtr gone;
  if (!is_folder(state_->beneath, old_name)) {
    state_->adopt(old_name);
    if (state_->beneath.exists(new_name) && !is_folder(state_->beneath, new_name)) {
      gone = state_->adopt(new_name);
      state_->keep(*gone, new_name);
    }
  }
  state_->beneath.rename(old_name, new_name);
  state_->nodes.erase(new_name);
  state_->move_names(old_name, new_name);
  state_->pending.push_back({FolderChange::Kind::kRename, new_name, old_name, std::move(gone)});
}

bool FaultFileSystem::rename_new(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const std::string old_name = normal(from);
  const std::string new_name = normal(to);
  state_->begin_or_raise("rename_new " + old_name, new_name, Applies::kToAll);
  if (!is_folder(state_->beneath, old_name)) state_->adopt(old_name);
  if (!state_->beneath.rename_new(old_name, new_name)) return false;
  state_->nodes.erase(new_name);
  state_->move_names(old_name, new_name);
  state_->pending.push_back({FolderChange::Kind::kRename, new_name, old_name, nullptr});
  return true;
}

bool FaultFileSystem::link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const std::string old_name = normal(from);
  const std::string new_name = normal(to);
  state_->begin_or_raise("link " + old_name, new_name, Applies::kToGrowing);
  if (!state_->beneath.link(old_name, new_name)) return false;
  state_->nodes[new_name] = state_->adopt(old_name);
  if (const auto part = state_->unreadable.find(old_name); part != state_->unreadable.end())
    state_->unreadable[new_name] = part->second;
  state_->pending.push_back({FolderChange::Kind::kCreate, new_name, "", nullptr});
  return true;
}

void FaultFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal(path);
  state_->begin_or_raise("remove", name, Applies::kToAll);
  if (is_folder(state_->beneath, name)) {
    state_->beneath.remove(name);
    state_->pending.push_back({FolderChange::Kind::kRemoveFolder, name, "", nullptr});
    return;
  }
  NodePtr node = state_->adopt(name);
  state_->keep(*node, name);
  state_->beneath.remove(name);
  state_->nodes.erase(name);
  state_->pending.push_back({FolderChange::Kind::kRemove, name, "", std::move(node)});
}

void FaultFileSystem::create_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal(path);
  state_->begin_or_raise("create_directory", name, Applies::kToGrowing);
  std::vector<std::string> made;
  for (std::string part = name; !state_->beneath.exists(part); part = parent_path(part)) made.push_back(part);
  if (made.empty()) state_->beneath.create_directory(name);  // a file of that name is an error
  std::reverse(made.begin(), made.end());
  for (const std::string& part : made) {
    state_->beneath.create_directory(part);
    state_->pending.push_back({FolderChange::Kind::kCreateFolder, part, "", nullptr});
    state_->begin_or_raise("sync_directory", parent_path(part), Applies::kToAll);
    state_->make_durable(parent_path(part));
  }
}

void FaultFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string name = normal(path);
  state_->begin_or_raise("sync_directory", name, Applies::kToAll);
  state_->beneath.sync_directory(name);
  state_->make_durable(name);
}

bool FaultFileSystem::exists(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->check_power(path);
  return state_->beneath.exists(path);
}

std::uint64_t FaultFileSystem::size(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->check_power(path);
  return state_->beneath.size(path);
}

std::vector<std::string> FaultFileSystem::list(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->check_power(path);
  return state_->beneath.list(path);
}

}  // namespace signet
