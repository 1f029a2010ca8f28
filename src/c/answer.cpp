#include "c/answer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/strings.hpp"
#include "c/error.hpp"

namespace skewguard::c {
namespace {

/// More of a body is never looked at.
constexpr std::size_t kMaxBody = std::size_t{64} * 1024;

std::string_view bytes_of(const void* bytes, std::size_t size) noexcept {
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), size);
}

/// All but the fields and the body.
void read_head(const skewguard_answer& answer, const Now& received, AnswerHead& into) {
  into.status = answer.status;
  into.connection = answer.connection;
  into.origin = text_of(answer.origin);
  into.sent = now_of(answer.sent);
  into.received = answer.received.boot == 0 ? received : now_of(answer.received);
}

}  // namespace

Now now_of(const skewguard_moment& moment) noexcept {
  return {Instant{Duration{moment.boot}}, WallTime{Duration{moment.wall}},
          MonotonicTime{Duration{moment.monotonic}}, RawTime{Duration{moment.raw}},
          Duration{std::max<std::int64_t>(moment.gap, 0)}};
}

void write_moment(const Now& now, skewguard_moment& into) noexcept {
  into = {now.boot.time_since_epoch().count(), now.wall.time_since_epoch().count(),
          now.mono.time_since_epoch().count(), now.raw.time_since_epoch().count(), now.gap.count()};
}

std::optional<Error> check_answer(const skewguard_answer* answer) {
  if (answer == nullptr) return wrong_argument("there is no answer");
  if (answer->size < sizeof(skewguard_answer)) {
    return wrong_argument("the answer has the size " + std::to_string(answer->size),
                          "set it to sizeof(skewguard_answer)");
  }
  if (answer->status < 200 || answer->status > 999) {
    return wrong_argument("the answer has the status " + std::to_string(answer->status),
                          "pass on final answers: 200 to 999");
  }
  if (answer->fields == nullptr && answer->field_count > 0)
    return wrong_argument("the answer has a number of fields, but no fields");
  return std::nullopt;
}

HeaderField field_of(const skewguard_field& field) {
  return {std::string(bytes_of(field.name, field.name_size)),
          std::string(bytes_of(field.value, field.value_size))};
}

Exchange exchange_of(const skewguard_answer& answer, const Now& received) {
  Exchange exchange;
  read_head(answer, received, exchange);
  for (std::size_t i = 0; i < answer.field_count; ++i) {
    auto field = field_of(answer.fields[i]);
    exchange.headers.add(std::move(field.name), std::move(field.value));
  }
  exchange.body = bytes_of(answer.body, answer.body_size).substr(0, kMaxBody);
  return exchange;
}

AnswerHead observed_head_of(const skewguard_answer& answer, const Now& received) {
  constexpr std::array<std::string_view, 3> kLookedAt{"Date", "Age", "WWW-Authenticate"};
  AnswerHead head;
  read_head(answer, received, head);
  for (std::size_t i = 0; i < answer.field_count; ++i) {
    const skewguard_field& field = answer.fields[i];
    const std::string_view name = bytes_of(field.name, field.name_size);
    if (std::ranges::any_of(kLookedAt, [&](auto known) { return iequals(name, known); })) {
      auto copy = field_of(field);
      head.headers.add(std::move(copy.name), std::move(copy.value));
    }
  }
  return head;
}

}  // namespace skewguard::c
