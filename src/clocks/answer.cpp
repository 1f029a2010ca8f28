#include "clocks/answer.hpp"

#include <utility>

#include "clocks/sample_of.hpp"

namespace skewguard::clocks {

Answer::Answer(Exchange exchange)
    : Exchange(std::move(exchange)), sample_(sample_of(*this, &no_sample_, false)) {}

AnswerResult read(SendResult result) {
  if (auto* exchange = std::get_if<Exchange>(&result)) return Answer(std::move(*exchange));
  return std::get<TransportFailure>(std::move(result));
}

}  // namespace skewguard::clocks
