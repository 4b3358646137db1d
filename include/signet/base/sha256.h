#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace signet {

// SHA-256 (FIPS 180-4) of a stream of bytes, computed by OpenSSL's libcrypto. Not thread-safe; one object a stream.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> data);
  std::string hex();  // 64 lower-case digits; ends the stream: nothing may follow

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> data);

}  // namespace signet
