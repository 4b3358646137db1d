// The bodies of the catalog's rows. The first byte chooses the table; the checksum is made right, so that the fields behind it
// are read. A body that is accepted is the one that encoding its value gives.
#include <vector>

#include "fuzz/fuzz.h"
#include "store/blob.h"
#include "store/catalog.h"
#include "store/rows.h"

namespace {

using signet::store::Bytes;

constexpr std::uint64_t kRow = 7;
constexpr std::string_view kKey = "key";

Bytes sealed(std::span<const std::byte> fields, std::uint64_t row, std::string_view key) {
  Bytes body(fields.begin(), fields.end());
  const std::uint32_t crc = signet::store::blob_crc(fields, row, key);
  const auto bytes = std::as_bytes(std::span(&crc, 1));
  body.insert(body.end(), bytes.begin(), bytes.end());
  return body;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  namespace store = signet::store;
  if (size == 0) return 0;
  const auto fields = fuzz::input(data, size).subspan(1);
  const auto same = [](const Bytes& a, const Bytes& b) {
    fuzz::require(a == b, "a row that is accepted is what encoding gives");
  };
  fuzz::value_or_error([&] {
    switch (data[0] % 6) {
      case 0: {
        const Bytes body = sealed(fields, 1, {});
        same(store::encode_head(store::decode_head(body)), body);
        break;
      }
      case 1: {
        const Bytes body = sealed(fields, 1, {});
        same(store::encode_state(store::decode_state(body)), body);
        break;
      }
      case 2: {
        const Bytes body = sealed(fields, kRow, {});
        same(store::encode_segment(store::decode_segment(kRow, body)), body);
        break;
      }
      case 3: {
        const Bytes body = sealed(fields, kRow, kKey);
        same(store::encode_image(store::decode_image_row(kRow, kKey, body)), body);
        break;
      }
      case 4: {
        const Bytes body = sealed(fields, kRow, store::verdict_key(kRow + 2));
        same(store::encode_verdict(store::decode_verdict(kRow, kRow + 2, body)), body);
        break;
      }
      default: {
        const Bytes body = sealed(fields, kRow, {});
        same(store::encode_tombstones(kRow, store::decode_tombstones(kRow, body)), body);
        break;
      }
    }
  });
  return 0;
}
