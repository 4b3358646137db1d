#include <sqlite3.h>

#include <filesystem>

#include "signet/base/error.h"
#include "signet/store/collection_tools.h"
#include "store/view.h"
#include "store/writer.h"

namespace signet {
namespace store {
namespace {

// Pages of the source as its open read transaction sees them, whatever writers do meanwhile.
void copy_catalog(Catalog& source, const std::string& target, const std::string& vfs) {
  Database to(target, Database::Mode::kCreate, vfs);
  to.run("PRAGMA synchronous = FULL");
  sqlite3_backup* backup = sqlite3_backup_init(to.raw(), "main", source.database().raw(), "main");
  if (backup == nullptr) to.raise(sqlite3_extended_errcode(to.raw()), "starting to copy the catalog");
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK) rc = sqlite3_backup_step(backup, 4096);
  const int end = sqlite3_backup_finish(backup);
  if (rc != SQLITE_DONE) to.raise(rc, "copying the catalog");
  if (end != SQLITE_OK) to.raise(end, "copying the catalog");
}

void copy_file(FileSystem& fs, std::span<const std::byte> data, const std::string& target) {
  constexpr std::size_t kPart = std::size_t{16} << 20;
  write_file_atomically(fs, target, [&](WritableFile& file) {
    for (auto rest = data; !rest.empty(); rest = rest.subspan(std::min(kPart, rest.size())))
      file.append(rest.first(std::min(kPart, rest.size())));
  });
}

struct Source {
  std::shared_ptr<const View> view;
  std::vector<std::unique_ptr<MappedFile>> files;  // of its segments, in their order
};

// The view's segments as whole files. A writer may remove one between the view and its mapping: then with a newer view.
Source open_source(FileSystem& fs, const std::string& path, const ToolOptions& options) {
  for (int attempt = 1;; ++attempt) {
    Source source;
    source.view = take_view(fs, path, {.sqlite_vfs = options.sqlite_vfs});
    try {
      for (const auto& segment : source.view->snapshot().segments) source.files.push_back(fs.map(segment->path()));
      return source;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound || attempt == 50) throw;
    }
  }
}

void write_backup(FileSystem& fs, const Source& source, const std::string& target, const ToolOptions& options) {
  make_folders(fs, target);
  const auto& segments = source.view->snapshot().segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i]->verify();  // a backup of damage would be found on the day it is needed
    copy_file(fs, source.files[i]->data(), segment_path(target, segments[i]->row().number));
    if (options.progress && !options.progress({"backup", i + 1, segments.size(), ""}))
      fail(ErrorCode::kCancelled, "the backup to ", target, " was stopped");
  }
  source.view->with_catalog([&](Catalog& catalog) {
    copy_catalog(catalog, catalog_path(target), options.sqlite_vfs);
    return true;
  });
  fs.sync_directory(target);
}

}  // namespace
}  // namespace store

void backup_collection(FileSystem& fs, const std::string& path, const std::string& target, const ToolOptions& options) {
  std::string folder = target;  // it is made under a name beside this one, which after "folder/" would lie inside
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (fs.exists(folder)) fail(ErrorCode::kInvalidArgument, folder, " exists already; a backup needs a new folder");
  const store::Source source = store::open_source(fs, path, options);
  const std::string temporary = temp_path(folder);
  try {
    store::write_backup(fs, source, temporary, options);
    fs.rename(temporary, folder);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(temporary, ignored);
    throw;
  }
  fs.sync_directory(parent_path(folder));
}

}  // namespace signet
