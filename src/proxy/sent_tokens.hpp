#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "oauth/echo.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::proxy {

/// The tokens that a worker has sent last, to be hidden in what comes back. For its thread.
class SentTokens {
 public:
  static constexpr std::size_t kKept = 4;

  /// `authorization`: "Bearer ...", as it is being sent.
  void add(std::string_view authorization) {
    if (authorization == last_[newest_].reveal()) return;
    newest_ = (newest_ + 1) % kKept;
    last_[newest_] = Secret(authorization);
    echo_ = oauth::Echo();
    for (const Secret& one : last_) {
      const auto text = one.reveal();
      echo_.add(text.substr(text.find(' ') + 1));
    }
  }
  void hide_in(std::span<char> words) const noexcept { echo_.hide_in(words); }

 private:
  std::array<Secret, kKept> last_;
  std::size_t newest_ = 0;
  oauth::Echo echo_;
};

}  // namespace skewguard::proxy
