#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/dedup/duplicates.h"
#include "signet/store/collection.h"

namespace signet {

struct ServiceOptions {
  std::string collection;
  std::string model;               // the model's file; empty: where the collection says it was; none: pictures are not encoded
  std::vector<std::string> roots;  // folders, or data set files, whose pictures may be shown; besides the collection's own root
  bool writable = true;            // as far as the collection's folder can be written to when the service starts
  std::string index = "auto";      // as ReaderOptions
  std::size_t threads = 0;         // 0: one per CPU
  std::uint64_t max_pixels = 64'000'000;  // of a picture, checked before it is decoded
  // Bytes of all pictures that are asked with or added, until they are encoded, and of those that are shown or compared: 7 a
  // pixel while one is decoded, and its file's where it is read from one. A member of a data set file counts as one of max_pixels
  // meanwhile, and its own bytes. A picture that is alone has room in any case.
  std::uint64_t max_picture_memory = std::uint64_t{2} << 30;
  double memory_seconds = 10;           // how long a picture waits for memory that others hold; then kBusy
  double patient_memory_seconds = 60;   // the same where the work on others would be lost with it: added, or compared
  std::size_t max_hits = 10'000;        // of a search
  std::size_t max_page = 1000;          // hits or images of one answer
  double refresh_seconds = 0.2;         // how soon another process's commits are seen
  std::uint32_t duplicates_radius = 0;  // of duplicates() where the question names none
  double duplicates_seconds = 10;       // how long a question about duplicates waits for its answer
  double writer_seconds = 1;            // how long the writer's lock is kept after a change, so that others may write
};

// An image as the service shows it.
struct ImageEntry {
  ImageRecord record;
  std::string label;  // names of its classes, joined by ';'; empty: unknown
  std::string code;   // hex
};

struct SearchQuery {
  struct Code {
    std::vector<std::uint8_t> packed;
  };
  struct Key {
    std::string key;
  };
  struct Id {
    std::uint64_t id;
  };
  struct Picture {
    std::span<const std::byte> bytes;
    bool at_once = false;  // kBusy where it would have to wait for memory
  };
  std::variant<Code, Key, Id, Picture> query;
  std::optional<std::size_t> k;  // hits at most: 10, or max_hits where there is a radius
  std::optional<std::uint32_t> radius;
  std::vector<std::string> labels;   // any of these classes; empty: all
  std::size_t offset = 0;            // of the first hit in the answer
  std::optional<std::size_t> limit;  // hits in the answer: max_page
};

struct SearchHit {
  ImageEntry image;
  std::uint32_t distance = 0;
};

struct SearchAnswer {
  std::string code;            // of the query, hex
  std::vector<float> margins;  // |output| of each bit, where the query was a picture
  std::size_t total = 0;       // hits found; `hits` are those from `offset` on
  std::size_t offset = 0;
  std::vector<SearchHit> hits;
  SearchStats stats;         // of the pass that gave the answer ...
  std::size_t searches = 1;  // ... and gave those of so many searches that waited together
};

struct EncodedPicture {
  std::string code;            // hex
  std::vector<float> outputs;  // the real outputs before the sign
};

struct ImagesQuery {
  std::uint64_t after = 0;  // ids beyond this one
  std::size_t offset = 0;   // then skip so many
  std::size_t limit = 100;
  std::string label;  // of this class; empty: all
};

struct ImagesPage {
  std::uint64_t total = 0;            // images, of the class where one is asked for
  std::vector<ImageEntry> images;     // by id
  std::optional<std::uint64_t> next;  // `after` of the next page; nothing: this was the last
};

struct DuplicatesQuery {
  DuplicateLevel level = DuplicateLevel::kNear;
  std::optional<std::uint32_t> radius;  // at most half of the bits; duplicates_radius
  std::size_t offset = 0;               // of the first group in the answer
  std::size_t limit = 50;               // groups in the answer
};

struct DuplicatesPage {
  struct Other {
    ImageEntry image;
    std::uint32_t distance = 0;   // of its code to the one that is kept
    DuplicateLevel level{};       // the strongest that holds with the one that is kept
    std::optional<bool> verdict;  // what somebody has said about these two
  };
  struct Group {
    ImageEntry keep;            // the one with most pixels, see keep_order()
    std::size_t size = 0;       // others in all ...
    std::vector<Other> others;  // ... of which at most 200 are given
  };
  DuplicateLevel level{};
  std::uint32_t radius = 0;
  std::size_t total = 0;   // groups
  std::size_t others = 0;  // images in them beside those that are kept
  std::size_t offset = 0;
  std::vector<Group> groups;
};

struct VerdictsPage {
  std::size_t total = 0, offset = 0;
  std::vector<Verdict> verdicts;
};

struct CollectionSummary {
  std::string name;  // the folder's
  CollectionInfo info;
  std::vector<std::pair<std::string, std::uint64_t>> labels;  // class and its images
  bool writable = false, can_encode = false;
  std::string training_record;                        // as Service::training_record()
  std::uint32_t width = 0, height = 0, channels = 0;  // the network's input, 0 where pictures are not encoded
};

struct CodeMap {
  struct Point {
    std::uint64_t id;
    float x, y;          // -1 to 1
    std::int32_t label;  // index into labels, -1 unknown
  };
  std::vector<Point> points;
  std::vector<std::string> labels;
};

struct SmallPicture {
  std::string bytes, content_type;
};

struct PutResult {
  std::uint64_t id = 0;
  bool created = false;  // the key is new
};

struct BulkItem {
  std::string key;
  std::optional<std::string> label;
  std::vector<std::uint8_t> code;  // packed; empty: `picture` is encoded
  std::string picture;             // bytes of a file
};

struct BulkOutcome {
  std::uint64_t id = 0;
  std::string error;  // not empty: this one was not added, and why
};

// A collection with its model, ready to be asked by many threads at once. Knows nothing of HTTP and JSON.
//
// Every answer comes from one consistent state, at most refresh_seconds old; what this service itself has written is seen by the
// next question. Where the newest state cannot be read, failure() says why, and the state before it goes on answering. Indexes of
// new segments are built beside the answering, so that no question waits for them.
//
// Throws Error: kInvalidArgument for what is out of range (also a picture that is none), kUnsupported for a picture of a kind
// that is not read, kNotFound for a key, id or label that is not there, kBusy where another process is writing (naming it) or
// pictures under way hold the memory that one more has waited for, kIo where the disk refuses, kUsage where something is asked
// for that this service was not started for.
class Service {
 public:
  Service(FileSystem& fs, const ServiceOptions& options);
  ~Service();  // stop()
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const ServiceOptions& options() const noexcept;
  std::uint32_t bits() const noexcept;
  bool ready() const noexcept;  // the newest state is being answered from, and stop() has not begun
  std::string failure() const;  // why the newest state cannot be read; empty: it can
  bool writable() const noexcept;
  bool can_encode() const noexcept;
  std::size_t searches_waiting() const;           // and pictures to encode
  std::uint64_t picture_bytes() const noexcept;   // held now of max_picture_memory
  std::size_t pictures_waiting() const noexcept;  // for some of it
  CollectionInfo info() const;
  std::string training_record() const;  // of the model, a JSON object; empty where pictures are not encoded
  CollectionSummary summary() const;
  SearchAnswer search(const SearchQuery& query) const;
  // The same without waiting for the answer: throws where the question itself is wrong, or its picture has no memory; else calls
  // `done` once, by a thread of the service's own. `error` is what search() would have thrown, or null. `done` must not throw.
  using SearchDone = std::function<void(const SearchAnswer& answer, const std::exception_ptr& error)>;
  void search(const SearchQuery& query, SearchDone done) const;
  EncodedPicture encode(std::span<const std::byte> picture) const;
  ImagesPage images(const ImagesQuery& query) const;
  ImageEntry image(const std::string& key) const;
  ImageEntry image(std::uint64_t id) const;
  ImageRecord record(std::uint64_t id) const;  // without what image() works out beside it
  // Codes projected on their two main axes (principal components of +-1 bits); at most `limit` images, evenly spread over the
  // ids.
  std::shared_ptr<const CodeMap> map(std::size_t limit) const;
  // At most `side` pixels wide and high. Only pictures inside a root are read, whatever the record's key says.
  SmallPicture thumbnail(const ImageRecord& record, std::uint32_t side) const;

  // Groups of duplicates, best keepers first; a pair that was said to be none is in no group. Looked for once for each state,
  // level and radius, on a thread of its own; while that takes longer than duplicates_seconds the groups found before are given
  // (without what was removed or said since), and where there are none yet kBusy is thrown: ask again.
  DuplicatesPage duplicates(const DuplicatesQuery& query) const;
  VerdictsPage verdicts(std::size_t offset, std::size_t limit) const;  // what was said, by ids

  // Durable when they return, also where failure() then says that the new state cannot be read. Not from inside one another; one
  // at a time is worked on. An image whose key is known keeps its label where none is given, and its user_json. A code alone that
  // is the image's own leaves the rest of its record too; another one leaves nothing of the picture. Pictures are refused with
  // kMismatch where the collection is bound to no model.
  PutResult put(const std::string& key, std::span<const std::byte> picture, const std::optional<std::string>& label);
  void remove(const std::string& key);
  std::vector<BulkOutcome> add(std::vector<BulkItem> items);
  // What somebody says about two images; returns what was said before. kNotFound for an id that is not there.
  std::optional<bool> set_verdict(std::uint64_t a, std::uint64_t b, bool duplicate);
  void erase_verdict(std::uint64_t a, std::uint64_t b);  // kNotFound where nothing was said

  // From now on changes end with kBusy as soon as they can: the next picture of add() is not looked at, and no commit begins, so
  // nothing of such a change is stored. So ends who waits for duplicates. Other questions are still answered. From any thread.
  void give_up() noexcept;
  // Lets a change under way finish and gives the writer's lock back. Questions are still answered. Idempotent.
  void stop() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace signet
