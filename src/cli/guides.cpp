#include "cli/guides.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "cli/layout.hpp"

namespace skewguard::cli {
namespace {

/// Replaces `[words](link)` with the words, and removes marks for code and emphasis.
std::string without_marks(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t words_end = text.front() == '[' ? text.find("](") : std::string_view::npos;
    const std::size_t link_end =
        words_end == std::string_view::npos ? words_end : text.find(')', words_end);
    if (link_end != std::string_view::npos) {
      out.append(without_marks(text.substr(1, words_end - 1)));
      text.remove_prefix(link_end + 1);
    } else if (text.front() == '`' || text.starts_with("**")) {
      text.remove_prefix(text.front() == '`' ? 1 : 2);
    } else {
      if (text.starts_with("\\|")) text.remove_prefix(1);
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '|' && row[i - 1] != '\\') {
      cells.push_back(without_marks(trim(cell)));
      cell.clear();
    } else {
      cell += row[i];
    }
  }
  return cells;
}

/// What a line of Markdown starts.
enum class Kind { blank, heading, row, item, code, words };

Kind kind_of(std::string_view line) {
  if (trim(line).empty()) return Kind::blank;
  if (line.starts_with('#')) return Kind::heading;
  if (line.starts_with('|')) return Kind::row;
  if (line.starts_with("- ") || line.substr(1).starts_with(". ")) return Kind::item;
  return line.starts_with("    ") ? Kind::code : Kind::words;
}

/// Joins lines into blocks: a paragraph or a list item may have several lines.
class PlainText {
 public:
  explicit PlainText(std::size_t width) : width_(width) {}

  void take(std::string_view line) {
    if (line.starts_with("```")) {
      end_block();
      fenced_ = !fenced_;
      return;
    }
    Kind kind = fenced_ ? Kind::code : kind_of(line);
    if (kind == Kind::code && !fenced_ && !block_.empty()) kind = Kind::words;
    if (kind != Kind::row) header_.clear();
    if (kind != Kind::words) end_block();
    switch (kind) {
      case Kind::blank:
        text_ += '\n';
        return;
      case Kind::heading:
        return add_heading(line);
      case Kind::row:
        return add_row(line);
      case Kind::code:
        text_.append(fenced_ ? "    " : "").append(line).append("\n");
        return;
      case Kind::item:
      case Kind::words:
        item_ = item_ || kind == Kind::item;
        block_.append(block_.empty() ? "" : " ").append(trim(line));
    }
  }
  std::string end() {
    end_block();
    return std::move(text_);
  }

 private:
  void end_block() {
    if (block_.empty()) return;
    const std::size_t mark = std::exchange(item_, false) ? block_.find(' ') + 1 : 0;
    text_.append(block_, 0, mark);
    text_.append(wrapped(without_marks(std::string_view(block_).substr(mark)), mark, width_));
    text_ += '\n';
    block_.clear();
  }
  void add_heading(std::string_view line) {
    std::string words = without_marks(trim(line.substr(line.find_first_not_of('#'))));
    std::ranges::transform(words, words.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    text_.append(words).append("\n");
  }
  /// The first row names the columns; cells beyond the second are prefixed with the name.
  void add_row(std::string_view line) {
    const auto cells = cells_of(line);
    if (header_.empty()) {
      header_ = cells;
      return;
    }
    if (cells.empty() || cells.front().starts_with("---")) return;
    std::string says;
    for (std::size_t i = 1; i < cells.size() && i < header_.size(); ++i) {
      if (cells[i].empty()) continue;
      says.append(says.empty() ? "" : "; ");
      if (i > 1) says.append(header_[i]).append(": ");
      says.append(cells[i]);
    }
    text_.append(entry(cells.front(), says, width_));
  }

  std::size_t width_;
  bool fenced_ = false;              // between ``` lines
  std::string block_;                // the current paragraph or item
  bool item_ = false;                // whether it is an item
  std::vector<std::string> header_;  // of the current table
  std::string text_;
};

}  // namespace

std::optional<std::string_view> guide(std::string_view name) noexcept {
  // Written by CMake from docs/guide.
  static constexpr std::string_view kEmulator =
#include "guide_emulator.inc"
      ;
  static constexpr std::string_view kExitCodes =
#include "guide_exit_codes.inc"
      ;
  static constexpr std::string_view kVerdicts =
#include "guide_verdicts.inc"
      ;
  if (name == "emulate") return kEmulator;
  if (name == "exit-codes") return kExitCodes;
  if (name == "verdicts") return kVerdicts;
  return std::nullopt;
}

std::string as_plain_text(std::string_view markdown, std::size_t width) {
  PlainText text(width);
  while (!markdown.empty()) {
    const std::size_t end = std::min(markdown.find('\n'), markdown.size());
    text.take(markdown.substr(0, end));
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
  }
  return text.end();
}

}  // namespace skewguard::cli
