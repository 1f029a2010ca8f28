#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "emulator/encoding.hpp"
#include "skewguard/time.hpp"

/// Bodies that the API host does not hold: it reads an upload piece by piece and generates a
/// download while it sends it.
namespace skewguard::emulator {

constexpr std::string_view kUploadPath = "/api/v2/emulator/upload";
constexpr std::string_view kDownloadPath = "/api/v2/emulator/download";

/// So many bytes at a time, with a pause before each such piece.
struct Pace {
  static constexpr std::size_t kUsual = std::size_t{64} * 1024;
  static constexpr std::size_t kMax = std::size_t{1024} * 1024;
  static constexpr Duration kMaxPause = std::chrono::minutes{1};
  std::size_t piece = kUsual;  ///< bytes, from 1 to kMax
  Duration pause{0};           ///< up to kMaxPause
};

/// A body that is generated while it is sent (outgoing.hpp).
struct Download {
  enum class Framing {
    length,   ///< Content-Length
    chunked,  ///< chunks of `pace.piece` bytes
    close,    ///< the end of the connection ends it
  };
  std::uint64_t size = 0;  ///< bytes
  Framing framing = Framing::length;
  Pace pace{};
};

/// The pace that a query asks for by `piece` and `pause`. Empty if one of them is malformed, out of
/// range or there twice.
std::optional<Pace> pace_of(const Parameters& query);
/// The download that a query asks for by `bytes` (default 0), `framing` and the pace; else empty.
std::optional<Download> download_of(const Parameters& query);

/// Writes `size` bytes of the content of every download, from its byte `from` on. Each page of
/// 4 KiB begins with its number, so that bytes that are lost, repeated or moved show.
void fill_download(std::uint64_t from, char* to, std::size_t size);

}  // namespace skewguard::emulator
