#include "apps/signet/data.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

#include "apps/signet/terminal.h"
#include "signet/base/container.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/text.h"

namespace signet::cli {

void DataArguments::add_to(Options& options, bool with_split, Need need) {
  OptionSet& app = options.set();
  app.text("--data", path, "images: MNIST idx or CIFAR-10 files, a folder, a .tar, or a .csv/.tsv manifest", "PATH", need);
  app.text("--format", format, "auto, idx, cifar, folder, tar or manifest; auto looks at the path", "NAME");
  if (with_split) app.text("--split", split, "train or test, where the data holds both; everything otherwise", "NAME");
  app.max_megapixels(max_megapixels);
}

void DataArguments::add_derived_to(OptionSet& options) {
  options.flag("--leave-out-copies", leave_out_copies,
               "leave images out of the train part that are also in the test part, by their pixels");
  options.flag("--compose", compose, "take pictures of one to four of the images each, with all their labels");
}

DatasetOptions DataArguments::dataset_options() const {
  DatasetOptions options;
  options.format = parse_dataset_format(format);
  options.split = split;
  options.limits.max_pixels = max_megapixels * 1'000'000;
  return options;
}

void DataArguments::prefer_train_part(const char* doing, bool quiet) {
  if (!split.empty()) return;
  const std::vector<std::string> splits = dataset_splits(path, dataset_options());
  if (splits.size() < 2 || std::find(splits.begin(), splits.end(), "train") == splits.end()) return;
  split = "train";
  if (!quiet) note("train", concat(doing, " the part \"train\" of ", path, "; --split names another"));
}

namespace {

// `data`, opened from `path`: of the train part what the test part does not hold too, any other part as it is.
std::shared_ptr<const Dataset> leave_out_copies_of_test(std::shared_ptr<const Dataset> data, const std::string& path,
                                                        DatasetOptions options) {
  const std::vector<std::string> parts = dataset_splits(path, options);
  const auto holds = [&](const char* part) { return std::find(parts.begin(), parts.end(), part) != parts.end(); };
  if (!holds("train") || !(holds("test") || holds("val")))
    fail(ErrorCode::kUsage, "--leave-out-copies needs data with a train and a test part, and ", path, " has ",
         parts.empty() ? "no parts" : concat("only ", join(parts)));
  std::size_t of_train = 0;
  for (std::size_t i = 0; i < data->size(); ++i) of_train += data->split(i) == "train" ? 1 : 0;
  if (of_train == 0) return data;
  if (of_train < data->size())
    fail(ErrorCode::kUsage, "--leave-out-copies needs the train part alone (--split train), and all of ", path, " was asked for");
  options.split = "test";
  return without_copies(std::move(data), *open_dataset(path, options));
}

}  // namespace

std::shared_ptr<const Dataset> DataArguments::open(const DecodeLimits* limits) const {
  DatasetOptions options = dataset_options();
  if (limits != nullptr) options.limits = *limits;
  auto data = open_dataset(path, options);
  if (const auto left_out = data->left_out(); !left_out.empty())
    note("warning", concat("left out of ", path, ": ", printable(left_out.front()),
                           left_out.size() > 1 ? concat(", and ", left_out.size() - 1, " more") : ""));
  if (leave_out_copies) data = leave_out_copies_of_test(std::move(data), path, options);
  constexpr std::uint64_t kComposeSeed = 1;  // one composition of a data set for all seeds of training, as its images are one
  return compose ? signet::compose(std::move(data), kComposeSeed) : data;
}

DecodeLimits limits_for(const Preprocessing& preprocessing, const DataArguments& arguments) {
  DecodeLimits limits;
  limits.max_pixels = arguments.max_megapixels * 1'000'000;
  limits.target_side = std::max(preprocessing.width, preprocessing.height);
  return limits;
}

Image read_picture(const std::string& path, const DecodeLimits& limits) {
  const std::vector<std::byte> bytes = read_file(real_file_system(), path, limits.max_bytes);
  return decode_image(bytes, path, limits);
}

std::string label_text(const std::vector<std::int32_t>& labels, const std::vector<std::string>& class_names) {
  std::string text;
  for (const std::int32_t label : labels) {
    if (!text.empty()) text += ';';
    const bool named = label >= 0 && static_cast<std::size_t>(label) < class_names.size();
    text += named ? class_names[static_cast<std::size_t>(label)] : std::to_string(label);
  }
  return text.empty() ? "-" : text;
}

std::int32_t parse_label(const std::string& text, const std::vector<std::string>& class_names) {
  const auto named = std::find(class_names.begin(), class_names.end(), text);
  if (named != class_names.end()) return static_cast<std::int32_t>(named - class_names.begin());
  std::int32_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && number >= 0;
  if (whole && (class_names.empty() || static_cast<std::size_t>(number) < class_names.size())) return number;
  std::string known;
  for (const std::string& name : class_names) {
    if (known.size() > 300) {
      known += ", ...";
      break;
    }
    known += (known.empty() ? "" : ", ") + name;
  }
  fail(ErrorCode::kNotFound, "there is no class \"", text, "\"; ",
       known.empty() ? "these images have no class names, give a number from 0" : "the classes are: " + known);
}

namespace {

bool ends_like(std::string name, std::string_view ending) {
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name.ends_with(ending);
}

}  // namespace

PictureKind picture_kind(const Dataset& data) {
  std::size_t jpeg = 0, looked = 0;
  const std::size_t step = std::max<std::size_t>(1, data.size() / 1000);
  for (std::size_t i = 0; i < data.size(); i += step) {
    const std::string key = data.key(i);
    jpeg += ends_like(key, ".jpg") || ends_like(key, ".jpeg") ? 1 : 0;
    ++looked;
  }
  if (jpeg == 0) return {"pixels as published, without loss", false};
  return {
      jpeg == looked ? "pictures are JPEG files (compressed with loss)" : "some pictures are JPEG files (compressed with loss)",
      true};
}

void warn_of_unreadable(std::size_t count, const std::string& first) {
  note("train", concat("warning: ", counted(count, "image"), " could not be read and ", count == 1 ? "was" : "were",
                       " left out; the first: ", printable(first)));
}

namespace {

// Found by making something: permissions tell nothing to root, nor on every file system.
void require_writable(const char* flag, const std::string& path, const std::string& folder) {
  std::string probe = join_path(folder, ".signet-XXXXXX");
  if (mkdtemp(probe.data()) == nullptr)
    fail(ErrorCode::kIo, flag, " ", path, ": nothing can be made in the folder ", folder, " (", std::strerror(errno),
         "); name one in another folder");
  rmdir(probe.c_str());
}

struct OutputKind {
  const char* name;
  bool (*is_one)(std::string_view head);
};

bool is_text(std::string_view head) {
  return std::none_of(head.begin(), head.end(), [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\r' && c != '\t'; });
}

bool is_container(std::string_view head) { return starts_as_container(std::as_bytes(std::span(head))); }

bool is_page(std::string_view head) {  // HTML has no upper and lower case
  constexpr std::string_view kBegin = "<!doctype html>";
  return head.size() >= kBegin.size() && std::equal(kBegin.begin(), kBegin.end(), head.begin(), [](char right, char c) {
           return right == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
         });
}

OutputKind output_kind(Output kind) {
  switch (kind) {
    case Output::kModel:
      return {"a model", [](std::string_view head) { return head.starts_with('\x08'); }};  // ONNX: field 1, the version
    case Output::kFeatures:
      return {"a file of features", is_container};
    case Output::kIndex:
      return {"an index", is_container};
    case Output::kPage:
      return {"an HTML page", is_page};
    case Output::kPlan:
      return {"a plan", [](std::string_view head) { return head.starts_with('{') && is_text(head); }};
    case Output::kTable:
      break;
  }
  return {"a text", is_text};
}

// The first bytes of a regular file; none where there is none, or where it holds none.
std::string head_of(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return {};
  std::string head(64, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

}  // namespace

void check_output_file(const char* flag, const std::string& path, Output kind) {
  std::error_code ignored;
  if (path.ends_with('/') || std::filesystem::is_directory(path, ignored))
    fail(ErrorCode::kInvalidArgument, flag, " ", path, " is a folder; the name of a file would be right");
  const std::string folder = parent_path(path);
  if (!real_file_system().exists(folder))
    fail(ErrorCode::kNotFound, flag, " ", path, ": the folder ", folder, " does not exist; make it first");
  if (!std::filesystem::is_directory(folder, ignored))
    fail(ErrorCode::kInvalidArgument, flag, " ", path, ": ", folder, " is a file; a folder would be right");
  require_writable(flag, path, folder);
  const std::string head = head_of(path);
  if (const OutputKind own = output_kind(kind); !head.empty() && !own.is_one(head))
    fail(ErrorCode::kInvalidArgument, flag, " ", path, " exists and is not ", own.name,
         ", and would be lost; name another file, or remove it first");
}

void check_output_folder(const char* flag, const std::string& path) {
  std::error_code ignored;
  std::string there = path;  // the longest part of it that exists
  while (there.size() > 1 && there.ends_with('/')) there.pop_back();
  while (!real_file_system().exists(there)) there = parent_path(there);
  if (!std::filesystem::is_directory(there, ignored))
    fail(ErrorCode::kInvalidArgument, flag, " ", path, there == path ? "" : ": " + there, " is a file; a folder would be right");
  require_writable(flag, path, there);
}

void require_model(const std::string& collection, const std::string& path) {
  if (!real_file_system().exists(path))
    fail(ErrorCode::kNotFound, "the model of ", collection, " is not at ", path,
         " any more; give --model FILE (signet add with it makes the collection remember it)");
}

std::string absolute_path(const std::string& path) {
  std::string text = std::filesystem::absolute(path).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace signet::cli
