#include "bench/hamming_peers.h"

#include <omp.h>

#include <sstream>

// The headers of FAISS do not compile under our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <faiss/IndexBinaryFlat.h>
#include <faiss/IndexBinaryHNSW.h>
#include <faiss/IndexBinaryHash.h>
#include <faiss/IndexBinaryIVF.h>
#pragma GCC diagnostic pop

#include "signet/base/error.h"

namespace signet::bench {
namespace {

class FaissPeer final : public Peer {
 public:
  FaissPeer(std::string name, std::unique_ptr<faiss::IndexBinary> index, std::unique_ptr<faiss::IndexBinary> quantizer,
            std::size_t threads)
      : name_(std::move(name)), quantizer_(std::move(quantizer)), index_(std::move(index)), threads_(static_cast<int>(threads)) {}
  std::string name() const override { return name_; }

  std::vector<std::vector<std::uint32_t>> search(const CodeMatrix& queries, std::size_t k) override {
    omp_set_num_threads(threads_);
    std::vector<std::int32_t> distances(queries.size() * k);
    std::vector<faiss::IndexBinary::idx_t> labels(queries.size() * k);
    index_->search(static_cast<faiss::IndexBinary::idx_t>(queries.size()), queries.data().data(),
                   static_cast<faiss::IndexBinary::idx_t>(k), distances.data(), labels.data());
    std::vector<std::vector<std::uint32_t>> found(queries.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] >= 0) found[i / k].push_back(static_cast<std::uint32_t>(distances[i]));
    }
    return found;
  }

 private:
  std::string name_;
  std::unique_ptr<faiss::IndexBinary> quantizer_, index_;
  int threads_;
};

std::vector<int> numbers(const std::string& what) {
  std::vector<int> values;
  std::istringstream in(what);
  for (std::string part; std::getline(in, part, ':');) {
    if (!values.empty() || part.find_first_not_of("0123456789") == std::string::npos) values.push_back(std::stoi(part));
  }
  return values;
}

}  // namespace

std::string peer_version() { return concat("FAISS ", FAISS_VERSION_MAJOR, ".", FAISS_VERSION_MINOR, ".", FAISS_VERSION_PATCH); }

std::unique_ptr<Peer> make_peer(const std::string& what, const CodeMatrix& codes, std::size_t threads) {
  const std::string name = what.substr(0, what.find(':'));
  const std::vector<int> n = numbers(what.size() > name.size() ? what.substr(name.size() + 1) : "");
  const int bits = static_cast<int>(codes.stride() * 8);
  std::unique_ptr<faiss::IndexBinary> index, quantizer;
  if (name == "IndexBinaryFlat") {
    index = std::make_unique<faiss::IndexBinaryFlat>(bits);
  } else if (name == "IndexBinaryIVF" && n.size() == 2) {
    quantizer = std::make_unique<faiss::IndexBinaryFlat>(bits);
    auto ivf =
        std::make_unique<faiss::IndexBinaryIVF>(quantizer.get(), static_cast<std::size_t>(bits), static_cast<std::size_t>(n[0]));
    ivf->nprobe = static_cast<std::size_t>(n[1]);
    index = std::move(ivf);
  } else if (name == "IndexBinaryHNSW" && n.size() == 2) {
    auto hnsw = std::make_unique<faiss::IndexBinaryHNSW>(bits, n[0]);
    hnsw->hnsw.efSearch = n[1];
    index = std::move(hnsw);
  } else if (name == "IndexBinaryMultiHash" && n.size() == 3) {
    auto hash = std::make_unique<faiss::IndexBinaryMultiHash>(bits, n[0], n[1]);
    hash->nflip = n[2];
    index = std::move(hash);
  } else {
    fail(ErrorCode::kUsage, "peer \"", what, "\" does not exist");
  }
  omp_set_num_threads(2);  // building is not what is compared
  if (!index->is_trained)
    index->train(static_cast<faiss::IndexBinary::idx_t>(std::min<std::size_t>(codes.size(), 200000)), codes.data().data());
  index->add(static_cast<faiss::IndexBinary::idx_t>(codes.size()), codes.data().data());
  return std::make_unique<FaissPeer>(what, std::move(index), std::move(quantizer), threads);
}

}  // namespace signet::bench
