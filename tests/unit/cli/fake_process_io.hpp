#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/process_io.hpp"
#include "cli/run.hpp"
#include "diagnosis/exit_code.hpp"

namespace skewguard::cli {

/// A process in memory: no file, no network, no clock of this machine.
class FakeProcessIo {
 public:
  FakeProcessIo() {
    environment = {{"GENESYS_CLOUD_CLIENT_ID", "demo"},
                   {"GENESYS_CLOUD_CLIENT_SECRET", "hunter2-the-secret"},
                   {"SKEWGUARD_LOGIN_URL", "https://login.example.com"},
                   {"SKEWGUARD_API_URL", "https://api.example.com/base"}};
  }

  int run(const std::vector<std::string>& words) {
    out.clear();
    err.clear();
    return cli::run(words, make());
  }

  /// The next answer of the API, whatever the request.
  void answer(int status, std::string body, CallReport report = {}) {
    report.http_status = status;
    if (!report.failure && status >= 300) diagnosis::conclude(report, ErrorKind::protocol);
    answers.emplace_back(Response{.status = status,
                                  .headers = headers,
                                  .body = std::move(body),
                                  .report = std::move(report)});
  }

  std::map<std::string, std::string, std::less<>> environment;
  std::map<std::string, std::string, std::less<>> files;  ///< to read
  Headers headers{{"Content-Type", "application/json"}};  ///< of the next answers

  std::deque<Result<Response>> answers;
  std::deque<Result<BearerToken>> tokens;
  std::deque<doctor::Survey> surveys;  ///< one for each round
  std::vector<LogLine> log;            ///< what the client logs during its next call
  bool out_fails = false;
  bool interrupts = false;  ///< a survey, when its script is over
  int interrupted_code = -1;
  std::size_t columns = kUnbroken;
  bool terminal = false;
  bool program_fails = false;

  std::vector<Request> requests;  ///< seen
  std::vector<TokenRequestOptions> token_requests;
  std::vector<ClientOptions> clients;
  std::string out;
  std::string err;
  std::map<std::string, std::string, std::less<>> written;
  std::vector<std::pair<std::string, std::string>> programs;  ///< started: command, input

 private:
  class FakeApi final : public Api {
   public:
    FakeApi(FakeProcessIo& process, Hooks hooks) : process_(process), hooks_(std::move(hooks)) {}
    Result<Response> call(Request request) override {
      for (const LogLine& line : process_.log) hooks_.log(line);
      process_.requests.push_back(std::move(request));
      return next(process_.answers);
    }
    Result<BearerToken> token(const TokenRequestOptions& options) override {
      process_.token_requests.push_back(options);
      return next(process_.tokens);
    }

   private:
    template <typename T>
    static Result<T> next(std::deque<Result<T>>& script) {
      if (script.empty()) return Error{.message = "the script is over"};
      auto result = std::move(script.front());
      script.pop_front();
      return result;
    }
    FakeProcessIo& process_;
    Hooks hooks_;
  };

  class FixedClock final : public ClockSource {
   public:
    Now now() override {
      Now now;
      now.wall = WallTime{std::chrono::milliseconds{1'767'225'600'250}};  // 2026-01-01
      return now;
    }
  };

  ProcessIo make() {
    ProcessIo process;
    process.surroundings.environment = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
    process.surroundings.read_file = [this](const std::string& path) -> Result<SecretText> {
      const auto found = files.find(path);
      if (found != files.end()) return SecretText(found->second);
      return Error{.kind = ErrorKind::config,
                   .message = "cannot read " + path + " (No such file or directory)"};
    };
    process.surroundings.file_exists = [this](const std::string& path) {
      return files.contains(path);
    };
    process.make_api = [this](ClientOptions options, Hooks hooks,
                              const settings::TokenStoreChoice&) -> Result<std::unique_ptr<Api>> {
      clients.push_back(std::move(options));
      return std::unique_ptr<Api>(std::make_unique<FakeApi>(*this, std::move(hooks)));
    };
    process.out = [this](std::string_view text) -> Result<void> {
      if (out_fails) {
        return Error{.kind = ErrorKind::protocol,
                     .message = "cannot write to standard output (No space left on device)"};
      }
      out.append(text);
      return {};
    };
    process.err = [this](std::string_view text) { err.append(text); };
    process.open_file = [this](const std::string& path) -> Result<Writer> {
      if (path.starts_with("/nowhere/")) {
        return Error{.kind = ErrorKind::config, .message = "cannot write to " + path};
      }
      written[path] = "";
      return Writer([this, path](std::string_view text) {
        written[path].append(text);
        return Result<void>{};
      });
    };
    process.start_program = [this](const std::string& command,
                                   std::string_view input) -> Result<void> {
      programs.emplace_back(command, input);
      if (program_fails) return Error{.message = "cannot be started (Too many open files)"};
      return {};
    };
    process.survey = [this](const doctor::SurveyOptions&, const doctor::Progress&,
                            const doctor::Again& again) -> Result<doctor::Survey> {
      for (;;) {
        if (surveys.empty()) {
          if (interrupts) interrupted_code = interrupt_();
          return Error{.message = "the script is over"};
        }
        doctor::Survey survey = std::move(surveys.front());
        surveys.pop_front();
        if (!again || !again(survey)) return survey;
      }
    };
    process.on_interrupt = [this](std::function<int()> then) { interrupt_ = std::move(then); };
    process.columns = columns;
    process.out_is_terminal = terminal;
    process.clock = std::make_shared<FixedClock>();
    return process;
  }

  std::function<int()> interrupt_;
};

}  // namespace skewguard::cli
