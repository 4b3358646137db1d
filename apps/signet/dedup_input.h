#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "apps/signet/data.h"
#include "apps/signet/picture_source.h"
#include "apps/signet/pictures.h"
#include "signet/base/progress.h"
#include "signet/dedup/calibrate.h"
#include "signet/dedup/code_kind.h"
#include "signet/dedup/duplicates.h"
#include "signet/dedup/picture_hash.h"
#include "signet/dedup/second_look.h"
#include "signet/encode/encoder.h"

namespace signet::cli {

struct DedupArguments {
  std::vector<std::string> paths, against, prefer;
  std::string collection, model, hash, level = "near-duplicate", keep = "largest", out, trash;
  std::optional<std::uint32_t> radius;
  std::optional<double> budget, likeness;
  std::uint64_t sample = 300, seed = 1, threads = 0, max_megapixels = 256;
  bool no_second_look = false, mirrored = false, turned = false, json = false, quiet = false;

  std::string plan_path() const { return out.empty() ? "dedup-plan.json" : out; }
  std::string trash_folder() const { return absolute_path(trash.empty() ? plan_path() + ".trash" : trash); }
};

// How pictures become codes: by a model or by a perceptual hash. A second kind may go along with a model: a hash of the same
// pictures, made while they are read anyway.
class Coder {
 public:
  explicit Coder(const DedupArguments& arguments, const std::string& model);
  std::uint32_t bits() const { return encoder_ ? encoder_->info().bits : kPictureHashBits; }
  std::string name() const;    // "model <fingerprint>", "phash"
  std::string method() const;  // with what goes along: "model <fingerprint> + phash"
  const std::optional<PictureHash>& more() const { return more_; }
  CodeKind kind() const;
  CodeMatrix encode(std::span<const Image> images) const;
  CodeMatrix encode_more(std::span<const Image> images) const;  // of the second kind, where there is one
  // Codes of `count` pictures, many at once; pictures that cannot be read are left out, and `taken` says which were not.
  CodeMatrix encode_all(std::size_t count, const std::function<Image(std::size_t)>& load, std::vector<std::size_t>& taken,
                        std::vector<std::pair<std::size_t, std::string>>& skipped, const ProgressFn& progress) const;

 private:
  std::optional<Encoder> encoder_;
  std::optional<PictureHash> more_;
  PictureHash hash_ = PictureHash::kDct;
  std::size_t threads_;
};

// Everything that dedup compares: the reference first, then what is looked through. Pictures are read when they are needed and
// not kept; only small thumbnails of pairs that had a second look are, up to a bound.
class DedupInput {
 public:
  DedupInput(const DedupArguments& arguments, const ProgressFn& progress);

  DedupSet set;
  std::size_t reference = 0;
  std::vector<CodeMatrix> poses, more_poses;
  std::vector<Verdict> verdicts;
  std::vector<std::pair<std::string, std::string>> skipped;  // key, reason
  std::string method;                                        // for the plan; empty where no codes were compared
  std::vector<std::string> remarks;
  std::size_t in_trash = 0;  // pictures left out, because dedup has moved them away
  bool kind_known = true;    // whether the codes tell pictures or classes apart; else nothing is planned by them

  std::string file_of(std::size_t item) const;  // its own file, absolute; empty where there is none
  Image picture(std::size_t item);              // throws Error where it is gone
  struct Nearness {
    double likeness = 0;
    std::uint32_t radius = 0;
    std::optional<std::uint32_t> more_radius;
  };
  // Whether the pictures have this likeness, as they are or in a pose whose codes are near; no where one of them cannot be read.
  bool alike(std::size_t keeper, std::size_t item, const Nearness& wanted);
  Calibration calibrate_here(const CalibrationOptions& options);
  void fill_pixel_digests(const ProgressFn& progress);  // of items that share their size with another and have none yet

 private:
  void read_paths(const std::vector<std::string>& paths, const ProgressFn& progress);
  void make_room_for_codes(std::size_t poses_wanted);
  void read_from_collection(const ProgressFn& progress);
  void open_model_of(const CollectionInfo& info);  // that its codes are of, where no other is asked for
  void leave_out_trash(const std::string& root);   // of a collection
  void forget_digests_of_pixels();                 // that stand where a file's SHA-256 would
  void encode_collection(const ProgressFn& progress);
  void measure_sharpness(const ProgressFn& progress);  // of a collection that is not encoded anew
  void tell_of_unknown_bytes();
  void check_kind();  // of the coder
  void plan_nothing_near(const std::string& model);
  void check_radius(std::uint32_t bits) const;  // of codes of so many bits
  // Null where the picture cannot be read, which goes to `skipped` once. Valid until the next look.
  const Thumbnail* look_at(std::size_t item);
  bool near_in_pose(std::size_t pose, std::size_t posed, std::size_t plain, const Nearness& wanted) const;
  std::string path_of(std::size_t item) const;  // where its own file would lie, absolute

  const DedupArguments& arguments_;
  DuplicateLevel level_;
  DecodeLimits limits_;
  std::optional<Coder> coder_;
  std::vector<std::shared_ptr<PictureSource>> sources_;
  struct Place {
    std::size_t source, position;
  };
  std::vector<Place> places_;  // of items that came from sources_
  std::optional<PictureLibrary> library_;
  std::unordered_map<std::size_t, Thumbnail> looks_;
  std::unordered_set<std::size_t> unseen_;  // items that look_at() could not read
};

}  // namespace signet::cli
