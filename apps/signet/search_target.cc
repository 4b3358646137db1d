#include "apps/signet/search_target.h"

#include "apps/signet/data.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/index/index_file.h"
#include "signet/store/collection.h"

namespace signet::cli {
namespace {

void set_bit(std::vector<std::uint64_t>& words, std::uint64_t position) {
  if (position / 64 >= words.size()) words.resize(position / 64 + 1);
  words[position / 64] |= std::uint64_t{1} << (position % 64);
}

// find_key(), which must find.
template <typename Find>
auto found_by(const Find& find, const std::string& target, std::string& key) {
  auto found = find_key(find, key);
  if (!found) fail(ErrorCode::kNotFound, target, " holds no image with the key \"", key, "\"");
  return *found;
}

class IndexTarget final : public SearchTarget {
 public:
  IndexTarget(std::string path, const std::string& kind) : path_(std::move(path)) {
    BuildOptions options;
    if (!kind.empty()) options.kind = kind;
    file_ = IndexFile::open(real_file_system(), path_, options);
  }
  std::string path() const override { return path_; }
  std::uint32_t bits() const override { return file_->index().bits(); }
  std::string model() const override { return file_->model(); }
  std::string model_path() const override { return {}; }
  std::string root() const override { return file_->root(); }
  const std::vector<std::string>& class_names() const override { return file_->class_names(); }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override {
    return file_->index().search(queries, options);
  }
  std::string key(std::uint64_t id) const override { return file_->key(id); }
  std::vector<std::int32_t> labels(std::uint64_t id) const override { return file_->labels(id); }
  std::vector<std::uint8_t> code_of_key(std::string& key) const override {
    return file_->code(found_by([&](const std::string& name) { return file_->find(name); }, path_, key));
  }
  std::vector<std::uint64_t> filter_words(std::int32_t label) const override {
    std::vector<std::uint64_t> words((file_->index().size() + 63) / 64);
    for (std::uint64_t id = 0; id < file_->index().size(); ++id) {
      for (const std::int32_t one : file_->labels(id)) {
        if (one == label) set_bit(words, id);
      }
    }
    return words;
  }
  std::string explain(const SearchOptions& options, std::size_t queries) const override {
    return explain_plan(file_->index(), options, queries);
  }
  void check_model(const std::string& fingerprint, const std::string& what) const override {
    file_->check_model(fingerprint, what);
  }

 private:
  std::string path_;
  std::shared_ptr<const IndexFile> file_;
};

// One consistent state of a collection, for the life of the search.
class CollectionTarget final : public SearchTarget {
 public:
  CollectionTarget(std::string path, const std::string& kind) : path_(std::move(path)) {
    ReaderOptions options;
    if (!kind.empty()) {
      options.index = kind;
      options.index_from = 0;  // who asks for a kind gets it, also where a scan is as quick
    }
    view_ = Collection::open(real_file_system(), path_, options)->view();
    info_ = view_->info();
  }
  std::string path() const override { return path_; }
  std::uint32_t bits() const override { return info_.bits; }
  std::string model() const override { return info_.model; }
  std::string model_path() const override { return info_.model_path; }
  std::string root() const override { return info_.root; }
  const std::vector<std::string>& class_names() const override { return info_.class_names; }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override {
    return view_->search(queries, options);
  }
  std::string key(std::uint64_t id) const override { return record(id).key; }
  std::vector<std::int32_t> labels(std::uint64_t id) const override { return record(id).labels; }
  std::vector<std::uint8_t> code_of_key(std::string& key) const override {
    return view_->code(found_by([&](const std::string& name) { return view_->find(name); }, path_, key).id);
  }
  std::vector<std::uint64_t> filter_words(std::int32_t label) const override {
    return view_->filter_words(view_->ids_with_label(label));
  }
  std::string explain(const SearchOptions& options, std::size_t queries) const override {
    return view_->explain(options, queries);
  }
  void check_model(const std::string& fingerprint, const std::string& what) const override {
    view_->check_model(fingerprint, what);
  }

 private:
  ImageRecord record(std::uint64_t id) const {
    auto found = view_->get(id);
    if (!found)
      fail(ErrorCode::kCorrupt, path_, " has a code but no record for image ", id, "; signet collection verify says more");
    return std::move(*found);
  }
  std::string path_;
  std::shared_ptr<const CollectionView> view_;
  CollectionInfo info_;
};

}  // namespace

std::unique_ptr<SearchTarget> open_collection_target(const std::string& path, const std::string& kind) {
  return std::make_unique<CollectionTarget>(path, kind);
}

std::unique_ptr<SearchTarget> open_index_target(const std::string& path, const std::string& kind) {
  return std::make_unique<IndexTarget>(path, kind);
}

}  // namespace signet::cli
