#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "skewguard/http.hpp"
#include "skewguard/transport.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

/// An answer whose Date has been read: once, when it arrives. Everything that needs to know what
/// the server's clock showed asks here.
class Answer : public Exchange {
 public:
  Answer(Exchange exchange);  // NOLINT(google-explicit-constructor): reading the Date loses nothing

  /// The Date as a sample of the server's clock; none where it is not one.
  [[nodiscard]] const std::optional<time::DateSample>& sample() const noexcept { return sample_; }
  /// Why there is no sample, in one plain phrase that quotes nothing; else empty.
  [[nodiscard]] const std::string& no_sample() const noexcept { return no_sample_; }

 private:
  std::string no_sample_;  // before sample_, which fills it in
  std::optional<time::DateSample> sample_;
};
/// Shared by a machine, which only reads it, and by its driver, which takes the body in the end.
using AnswerPtr = std::shared_ptr<Answer>;

/// An answer, whatever its status, or why there is none.
using AnswerResult = std::variant<Answer, TransportFailure>;
AnswerResult read(SendResult result);

}  // namespace skewguard::clocks
