#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/overloaded.hpp"
#include "relay/session_machine.hpp"

namespace skewguard::relay::testing {

/// A session with the driver's part played by a test: what it does is noted as text.
class SessionBench {
 public:
  explicit SessionBench(std::size_t buffer = 2 * kMaxHead, std::size_t replay_budget = 4096 * 1024)
      : memory_(4, std::string(buffer, '\0')), replay(replay_budget) {
    rules.api_authority = "api.test";
    rules.api_origin = "https://api.test";
    work.client_in = Buffer(memory_[0]);
    work.client_out = Buffer(memory_[1]);
    work.upstream_in = Buffer(memory_[2]);
    work.upstream_out = Buffer(memory_[3]);
  }

  /// Carries out a step, and Next after Done.
  void step(const SessionEvent& event) {
    bool done = false;
    for (const auto& action : session.step(event, work, now)) {
      done = done || std::holds_alternative<action::Done>(action);
      note(action);
    }
    if (done) step(event::Next{});
  }

  /// The client sends, as far as the session reads. What is left over is sent by later calls.
  void client(std::string_view bytes) {
    client_bytes_ += bytes;
    while (!client_bytes_.empty() && session.reads_client(work)) {
      feed(work.client_in, client_bytes_);
      step(event::ClientBytes{});
    }
  }
  void upstream(std::string_view bytes) {
    upstream_bytes_ += bytes;
    while (!upstream_bytes_.empty() && session.reads_upstream(work)) {
      feed(work.upstream_in, upstream_bytes_);
      step(event::UpstreamBytes{});
    }
  }
  void ready(std::uint64_t generation = 1, bool reused = false) {
    step(event::UpstreamReady{"Bearer token" + std::to_string(generation), generation, reused});
  }
  /// What the session has for the client; taking it lets the session go on.
  std::string to_client() { return drain(work.client_out, event::ClientSent{}); }
  std::string to_upstream() { return drain(work.upstream_out, event::UpstreamSent{}); }
  /// The actions since the last call, one a line.
  std::string did() { return std::exchange(log_, {}); }
  /// Answers Serve or Fail.
  void page(int status, std::string_view body) {
    step(event::Page{status, "Reason", "X-Own: 1\r\n", body});
  }
  void pass(Duration time) {
    now += time;
    step(event::Tick{});
  }

  Instant now{std::chrono::hours{1}};
  SessionRules rules;
  Workspace work;

 private:
  std::vector<std::string> memory_;
  std::string client_bytes_;
  std::string upstream_bytes_;
  std::string log_;

 public:
  ReplayMemory replay;
  Session session{rules, replay, now};

 private:
  static void feed(Buffer& buffer, std::string& bytes) {
    const auto space = buffer.space();
    const std::size_t size = std::min(space.size(), bytes.size());
    std::copy_n(bytes.begin(), size, space.begin());
    buffer.added(size);
    bytes.erase(0, size);
  }

  std::string drain(Buffer& buffer, const SessionEvent& sent) {
    std::string all;
    while (!buffer.empty()) {
      all += buffer.bytes();
      buffer.remove(buffer.size());
      step(sent);
      client("");
      upstream("");
    }
    return all;
  }

  void note(const SessionAction& action) {
    log_ += std::visit(
        Overloaded{
            [](const action::Acquire& a) {
              return "acquire after " + std::to_string(a.after) + (a.fresh ? " fresh" : "");
            },
            [](const action::Judge& a) {
              return std::string("judge") + (a.can_retry ? "" : " for good");
            },
            [](const action::Serve& a) {
              return "serve " + std::to_string(static_cast<int>(a.route));
            },
            [](const action::Fail& a) {
              return "fail " + std::to_string(a.problem.status) + " " +
                     std::string(a.problem.code) + (a.problem.retry ? " retry" : "");
            },
            [](const action::Release& a) { return std::string(a.reusable ? "release" : "drop"); },
            [](const action::Abandon&) { return std::string("abandon"); },
            [this](const action::Done&) {
              return "done " + std::to_string(session.status()) + " x" +
                     std::to_string(session.attempts());
            },
            [](const action::Close& a) {
              if (a.cut != Cut::none) return "cut by " + std::string(to_string(a.cut));
              return std::string("close") + (a.linger ? " later" : "");
            }},
        action);
    log_ += '\n';
  }
};

}  // namespace skewguard::relay::testing
