#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The guides that `skewguard help` shows: files of docs/guide, embedded by CMake.
namespace skewguard::cli {

/// The Markdown of a guide; empty if there is no guide of that name.
std::optional<std::string_view> guide(std::string_view name) noexcept;

/// Renders Markdown for a terminal of that width: headings in capitals, tables as lists of entries,
/// code unchanged. Supports only what the guides use.
std::string as_plain_text(std::string_view markdown, std::size_t width);

}  // namespace skewguard::cli
