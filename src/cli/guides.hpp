#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The guides that `skewguard help` shows: files of docs/guide, embedded by CMake.
namespace skewguard::cli {

/// The Markdown of a guide; empty where there is none of that name.
std::optional<std::string_view> guide(std::string_view name) noexcept;

/// Markdown as text for a terminal of that width: headings in capitals, tables as lists of entries,
/// code as it stands. Of Markdown it knows what our guides use.
std::string as_plain_text(std::string_view markdown, std::size_t width);

}  // namespace skewguard::cli
