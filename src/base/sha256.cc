#include "base/sha256.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <system_error>
#include <vector>

namespace headrace {
namespace {

constexpr size_t kReadBytes = 1 << 20;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

struct File {
  explicit File(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const int fd;
};

Error cannot_read(const std::string& path, int error_number) {
  return Error(ErrorCode::kIo, fmt::format("cannot read {}: {}", path,
                                           std::generic_category().message(error_number)));
}

}  // namespace

Result<std::string> sha256_of_file(const std::string& path) {
  const File file(path);
  if (file.fd < 0) return cannot_read(path, errno);
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  bool ok = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  std::vector<uint8_t> bytes(kReadBytes);
  while (ok) {
    const ssize_t got = ::read(file.fd, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) break;
    ok = EVP_DigestUpdate(context.get(), bytes.data(), static_cast<size_t>(got)) == 1;
  }
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ok = ok && EVP_DigestFinal_ex(context.get(), digest, &size) == 1;
  if (!ok) return Error(ErrorCode::kInternal, "SHA-256 is not to be had from OpenSSL");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace headrace
