// signet's search inside a program of one's own: 10,000 codes of 64 bits, and one of them searched for with three of its bits
// flipped.
//
// Prints "nearest: code 4242 at distance 3, next at distance 16": the stranger is as far away as chance has it.
#include <cstdio>
#include <memory>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/code/code_matrix.h"
#include "signet/index/build.h"

int main() {
  try {
    // Real outputs of a network become codes by their signs; here they come from a random generator.
    constexpr std::uint32_t kBits = 64;
    signet::Random random(1);
    std::vector<float> outputs(10000 * kBits);
    for (float& value : outputs) value = static_cast<float>(random.normal());
    const auto codes = std::make_shared<const signet::CodeMatrix>(signet::pack_signs(outputs, kBits));

    signet::BuildOptions build;
    build.kind = "flat";
    const std::unique_ptr<signet::Index> index = signet::build_index(signet::source_of(codes), build);

    const std::vector<std::size_t> wanted{4242};
    signet::CodeMatrix query = codes->rows(wanted);
    for (const std::uint32_t bit : {3U, 17U, 40U}) query.row(0)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));

    signet::SearchOptions options;
    options.k = 2;
    const std::vector<signet::Hit> hits = index->search(query, options).hits[0];
    std::printf("nearest: code %llu at distance %u, next at distance %u\n", static_cast<unsigned long long>(hits[0].id),
                hits[0].distance, hits[1].distance);
  } catch (const signet::Error& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return signet::exit_status(error.code());
  }
}
