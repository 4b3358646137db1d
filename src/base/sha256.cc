#include "signet/base/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "signet/base/error.h"

namespace signet {

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* held) const noexcept { EVP_MD_CTX_free(held); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
  bool ended = false;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) {
    fail(ErrorCode::kInternal, "libcrypto offers no SHA-256");
  }
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) {
  if (state_->ended) fail(ErrorCode::kInternal, "SHA-256: bytes added after hex()");
  if (EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) != 1)
    fail(ErrorCode::kInternal, "SHA-256: update failed");
}

std::string Sha256::hex() {
  if (state_->ended) fail(ErrorCode::kInternal, "SHA-256: hex() called twice");
  state_->ended = true;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &length) != 1) fail(ErrorCode::kInternal, "SHA-256: final failed");
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> data) {
  Sha256 hash;
  hash.update(data);
  return hash.hex();
}

}  // namespace signet
