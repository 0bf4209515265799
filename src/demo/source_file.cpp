#include "demo/source_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <span>
#include <vector>

namespace sockswap::demo {
namespace {

namespace fs = std::filesystem;

class Sha256 {
 public:
  Sha256() : context_(::EVP_MD_CTX_new(), &::EVP_MD_CTX_free) {
    ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr);
  }
  void take(std::span<const char> bytes) { ::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    ::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return fmt::format("{:02x}", fmt::join(digest, ""));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context_;
};

}  // namespace

Result<SourceFile> make_source_file(const fs::path& path, std::uint64_t bytes) {
  SourceFile file{.path = path, .bytes = 0, .sha256 = {}};
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  Sha256 digest;
  std::vector<char> buffer(1 << 20);
  std::error_code error;
  for (const char* root : {"/usr/lib", "/usr/bin", "/usr/share"}) {
    fs::recursive_directory_iterator entries(root, fs::directory_options::skip_permission_denied, error);
    for (; !error && entries != fs::recursive_directory_iterator() && file.bytes < bytes;
         entries.increment(error)) {
      std::error_code ignored;
      if (entries->is_symlink(ignored) || !entries->is_regular_file(ignored)) continue;
      std::ifstream in(entries->path(), std::ios::binary);
      while (in && file.bytes < bytes) {
        const auto wanted = std::min<std::uint64_t>(buffer.size(), bytes - file.bytes);
        in.read(buffer.data(), static_cast<std::streamsize>(wanted));
        const auto got = static_cast<std::size_t>(in.gcount());
        out.write(buffer.data(), static_cast<std::streamsize>(got));
        digest.take({buffer.data(), got});
        file.bytes += got;
      }
    }
  }
  out.close();
  if (!out || file.bytes < bytes)
    return failure(ErrorCode::no_resources,
                   fmt::format("{} got only {} of {} bytes", path.string(), file.bytes, bytes),
                   "is there room in that folder, and has /usr so many?");
  file.sha256 = digest.hex();
  return file;
}

}  // namespace sockswap::demo
