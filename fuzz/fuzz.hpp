#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What every fuzz target defines: one input, which must do no harm and break no `require`.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace skewguard::fuzz {

/// Ends the process where a claim does not hold, so that the fuzzer keeps the input.
inline void require(bool holds, const char* claim) {
  if (holds) return;
  (void)std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes the text up to the next line feed, which goes too.
inline std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
  return line;
}

/// First byte: the size of the pieces; the rest is read by `read(bytes, piece)`, whose result must
/// not hang on how the bytes are cut.
template <typename Read>
int require_same_in_pieces(const std::uint8_t* data, std::size_t size, Read read) {
  if (size == 0) return 0;
  const auto bytes = as_text(data + 1, size - 1);
  const auto whole = read(bytes, bytes.empty() ? 1 : bytes.size());
  require(read(bytes, 1 + data[0] % 16U) == whole, "the pieces make no difference");
  return 0;
}

}  // namespace skewguard::fuzz
