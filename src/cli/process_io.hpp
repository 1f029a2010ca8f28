#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cli/layout.hpp"
#include "doctor/survey.hpp"
#include "settings/settings.hpp"
#include "skewguard/client.hpp"
#include "skewguard/result.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::cli {

/// What the commands need from a Client; tests use one that answers from a script.
class Api {
 public:
  virtual ~Api() = default;
  virtual Result<Response> call(Request request) = 0;
  virtual Result<BearerToken> token(const TokenRequestOptions& options) = 0;
};

/// Writes the whole content, once; the error says why it could not be written.
using Writer = std::function<Result<void>(std::string_view content)>;

/// Everything outside the program that a run uses, passed in so that tests can replace it.
struct ProcessIo {
  settings::Surroundings surroundings;
  /// Called after the settings have been read, to remove secrets from the environment of this
  /// process and of the programs that it starts. Empty = nothing to remove.
  std::function<void()> forget_secrets{};
  std::function<Result<std::unique_ptr<Api>>(ClientOptions, Hooks,
                                             const settings::TokenStoreChoice&)>
      make_api;
  Writer out;                                 ///< standard output
  std::function<void(std::string_view)> err;  ///< standard error; best effort
  std::function<Result<Writer>(const std::string& path)> open_file;  ///< empties it, or makes it
  std::function<Result<Writer>(const std::string& path)> append_to_file;  ///< or makes it
  /// Runs `command` in a shell with `input` on its standard input, and does not wait for it.
  std::function<Result<void>(const std::string& command, std::string_view input)> start_program;
  /// As doctor::survey.
  std::function<Result<doctor::Survey>(doctor::SurveyOptions, const doctor::Progress&,
                                       const doctor::Again&)>
      survey;
  /// From now on, an interrupt (Ctrl-C, SIGTERM) runs `then` on its own thread and exits with the
  /// code that it returns, whatever the program is doing. Call it once, while there is no other
  /// thread.
  std::function<void(std::function<int()> then)> on_interrupt;
  std::shared_ptr<ClockSource> clock;
  bool err_is_terminal = false;
  bool out_is_terminal = false;
  std::size_t columns = kUnbroken;  ///< of what standard output is read on
};

/// The real ones of this process.
ProcessIo this_process();

}  // namespace skewguard::cli
