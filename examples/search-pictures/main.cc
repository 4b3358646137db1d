// Which pictures of a collection are most like this one? search-pictures COLLECTION MODEL PICTURE
//
// COLLECTION is a folder that `signet add` made, MODEL the model that its codes are of. Prints the five nearest, a distance and a
// key a line, the nearest first.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <span>

#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/code/code_matrix.h"
#include "signet/encode/encoder.h"
#include "signet/image/image.h"
#include "signet/store/collection.h"

int main(int count, char** words) {
  try {
    if (count != 4) signet::fail(signet::ErrorCode::kUsage, "give COLLECTION, MODEL and PICTURE");
    signet::FileSystem& files = signet::real_file_system();
    const signet::Encoder encoder = signet::Encoder::open(files, words[2]);
    const std::shared_ptr<const signet::CollectionView> view = signet::Collection::open(files, words[1])->view();
    view->check_model(encoder.info().fingerprint, words[2]);

    // As `signet add` decodes: a JPEG no larger than the network needs, so that one picture has one code.
    const signet::Preprocessing& input = encoder.info().preprocessing;
    signet::DecodeLimits limits;
    limits.target_side = std::max(input.width, input.height);
    const signet::Image picture = signet::decode_image(signet::read_file(files, words[3], limits.max_bytes), words[3], limits);
    const signet::CodeMatrix query = signet::pack_signs(encoder.run(std::span(&picture, 1)).hash, encoder.info().bits);

    signet::SearchOptions options;
    options.k = 5;
    const signet::SearchResult found = view->search(query, options);
    for (const signet::Hit& hit : found.hits[0])
      std::printf("%u %s\n", hit.distance, view->get(hit.id).value().key.c_str());  // a view holds what it finds
  } catch (const signet::Error& error) {
    std::fprintf(stderr, "search-pictures: %s\n", error.what());
    return signet::exit_status(error.code());
  }
}
