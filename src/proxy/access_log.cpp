#include "proxy/access_log.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/signals.hpp"
#include "time/http_date.hpp"

namespace skewguard::proxy {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostKept = std::size_t{1024} * 1024;  // bytes
constexpr std::chrono::seconds kLastWait{1};

double in_ms(Duration duration) {
  constexpr double kPerMillisecond = 1e6;
  constexpr double kDigits = 1e3;  // whole microseconds
  return static_cast<double>(static_cast<std::int64_t>(static_cast<double>(duration.count()) /
                                                       kPerMillisecond * kDigits)) /
         kDigits;
}

std::string ms_text(Duration duration) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.1fms", in_ms(duration));
  return {text.data(), static_cast<std::size_t>(size)};
}

/// Whether that is told: also of a request that waited and was not sent.
bool was_held(const AccessRecord& record) {
  return record.verdict || record.held > Duration{0};
}

std::string text_line(const AccessRecord& record) {
  const auto known = [](std::string_view text) { return text.empty() ? "-" : text; };
  std::string line = time::format_rfc3339_ms(record.time.time_since_epoch());
  line.append(" ").append(known(record.method)).append(" ").append(known(record.path));
  line.append(" ").append(record.status == 0 ? "-" : std::to_string(record.status));
  if (record.cut != relay::Cut::none) line.append(" cut=").append(to_string(record.cut));
  if (record.verdict) {
    line.append(" verdict=").append(to_string(*record.verdict));
    line.append(" attempts=").append(std::to_string(record.attempts));
  }
  if (was_held(record)) line.append(" held=").append(ms_text(record.held));
  if (record.verdict) line.append(" upstream=").append(ms_text(record.upstream));
  return line.append(" total=").append(ms_text(record.total)).append("\n");
}

std::string json_line(const AccessRecord& record) {
  Json json{{"time", time::format_rfc3339_ms(record.time.time_since_epoch())},
            {"method", record.method},
            {"path", record.path},
            {"status", record.status == 0 ? Json() : Json(record.status)}};
  if (record.cut != relay::Cut::none) json["cut"] = to_string(record.cut);
  if (record.verdict) {
    json["verdict"] = to_string(*record.verdict);
    json["attempts"] = record.attempts;
  }
  if (was_held(record)) json["held_ms"] = in_ms(record.held);
  if (record.verdict) json["upstream_ms"] = in_ms(record.upstream);
  json["total_ms"] = in_ms(record.total);
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string access_line(const AccessRecord& record, AccessLog::Format format) {
  return format == AccessLog::Format::json ? json_line(record) : text_line(record);
}

struct AccessLog::State {
  /// Until it is over.
  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return over || !lines.empty(); });
      if (lines.empty()) return;
      std::string taken = std::exchange(lines, {});
      if (left_out > 0) taken.append(left_out_line(std::exchange(left_out, 0)));
      const Writer to = writer;
      busy = true;
      lock.unlock();
      if (to) to(taken);
      lock.lock();
      busy = false;
      changed.notify_all();
    }
  }

  static std::string left_out_line(std::size_t count) {
    return "# " + std::to_string(count) + " lines were left out: nobody read them in time\n";
  }

  std::mutex mutex;
  std::condition_variable changed;
  Writer writer;
  std::string lines;
  std::size_t left_out = 0;
  bool busy = false;  // a write is under way
  bool over = false;
};

AccessLog::AccessLog(Writer writer, Format format) : format_(format) {
  if (!writer) return;
  state_ = std::make_shared<State>();
  state_->writer = std::move(writer);
  const SignalsBlocked blocked;
  std::thread([state = state_] { state->run(); }).detach();
}

AccessLog::~AccessLog() {
  if (!state_) return;
  std::unique_lock lock(state_->mutex);
  state_->over = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, kLastWait,
                           [this] { return state_->lines.empty() && !state_->busy; });
}

void AccessLog::write(const AccessRecord& record) {
  if (!state_) return;
  const std::string line = access_line(record, format_);
  const std::lock_guard lock(state_->mutex);
  if (state_->lines.size() + line.size() > kMostKept) {
    ++state_->left_out;
  } else {
    state_->lines.append(line);
  }
  state_->changed.notify_all();
}

void AccessLog::reopen(Writer writer) {
  if (!state_) return;
  const std::lock_guard lock(state_->mutex);
  state_->writer = std::move(writer);
}

}  // namespace skewguard::proxy
