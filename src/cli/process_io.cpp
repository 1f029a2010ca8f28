#include "cli/process_io.hpp"

#include <fcntl.h>
#include <string.h>  // NOLINT: explicit_bzero is not in <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/secret_text.hpp"
#include "runtime/stores.hpp"
#include "system/programs.hpp"
#include "system/system_clocks.hpp"

namespace skewguard::cli {
namespace {

/// The real Client behind the interface.
class ClientApi final : public Api {
 public:
  explicit ClientApi(Client client) : client_(std::move(client)) {}
  Result<Response> call(Request request) override { return client_.call(std::move(request)); }
  Result<BearerToken> token(const TokenRequestOptions& options) override {
    return client_.token(options);
  }

 private:
  Client client_;
};

/// Commands keep their tokens in files by default.
Result<std::unique_ptr<Api>> make_client(ClientOptions options, Hooks hooks,
                                         settings::TokenStoreChoice choice) {
  using Kind = settings::TokenStoreChoice::Kind;
  const auto surroundings = settings::process_surroundings();
  const bool unsaid = choice.kind == Kind::unsaid;
  choice.kind = unsaid ? Kind::file : choice.kind;
  auto store = runtime::make_store(choice, surroundings.environment);
  Dependencies dependencies;
  if (store) {
    dependencies.store = *std::move(store);
  } else if (!unsaid) {
    return std::move(store).error();
  }
  auto client = Client::make(std::move(options), std::move(hooks), std::move(dependencies));
  if (!client) return std::move(client).error();
  return std::unique_ptr<Api>(std::make_unique<ClientApi>(*std::move(client)));
}

/// Owns a descriptor; does not close the standard ones.
class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  ~File() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

/// Returns 0 or errno. Continues after signals and short writes.
int write_all(int fd, std::string_view content) noexcept {
  while (!content.empty()) {
    const ssize_t wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

Error unwritable(const std::string& name, int error) {
  return {
      .kind = ErrorKind::protocol,
      .message = "cannot write to " + name + " (" + std::generic_category().message(error) + ")",
      .remedy =
          error == EPIPE ? "its reader is gone" : "check its path, permissions and free space"};
}

Result<void> write_to(int fd, const std::string& name, std::string_view content) {
  const int error = write_all(fd, content);
  if (error != 0) return unwritable(name, error);
  return {};
}

Result<Writer> open_file(const std::string& path, int how) {
  constexpr mode_t kMode = 0666;  // less the umask
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, kMode);
  if (fd < 0) {
    Error error = unwritable(path, errno);
    error.kind = ErrorKind::config;
    return error;
  }
  return Writer([file = std::make_shared<File>(fd), path](std::string_view content) {
    return write_to(file->fd(), path, content);
  });
}

void wipe_text(char* text) noexcept {
  ::explicit_bzero(text, std::strlen(text));
}

/// Call it before any thread starts. The proxy's credentials stay in the environment for child
/// processes, but hidden from other users.
void forget_secrets_of_environment() {
  for (const std::string_view variable : settings::secret_variables()) {
    const std::string name(variable);
    while (char* const value = std::getenv(name.c_str())) {  // NOLINT(concurrency-mt-unsafe)
      wipe_text(value);
      ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    }
  }
  static std::array<SecretText, 2> proxies;
  constexpr std::array<const char*, 2> kNames{"https_proxy", "HTTPS_PROXY"};
  for (std::size_t i = 0; i < proxies.size(); ++i) {
    char* const value = std::getenv(kNames[i]);  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr || std::strchr(value, '@') == nullptr) continue;
    proxies[i].append(kNames[i]).append("=").append(value).append('\0');
    wipe_text(value);
    ::putenv(proxies[i].data());  // NOLINT(concurrency-mt-unsafe)
  }
}

/// Ignored signals (nohup, cron) stay ignored.
void on_interrupt(std::function<int()> then) {
  sigset_t signals{};
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction inherited{};
    ::sigaction(signal, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) ::sigaddset(&signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // in every thread that is started from here on
  std::thread([signals, then = std::move(then)] {
    int signal = 0;
    if (::sigwait(&signals, &signal) == 0) ::_exit(then());
  }).detach();
}

/// From COLUMNS, otherwise from the terminal. Elsewhere lines are not wrapped.
std::size_t columns(const settings::Surroundings& surroundings) {
  constexpr std::size_t kUsual = 80;
  constexpr std::size_t kLeast = 20;
  std::size_t width = 0;
  const std::string said = surroundings.environment("COLUMNS").value_or("");
  std::from_chars(said.data(), said.data() + said.size(), width);
  if (width == 0 && ::isatty(STDOUT_FILENO) != 1) return kUnbroken;
  winsize window{};
  if (width == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0) width = window.ws_col;
  return width == 0 ? kUsual : std::max(width, kLeast);
}

}  // namespace

ProcessIo this_process() {
  ProcessIo process;
  process.surroundings = settings::process_surroundings();
  process.forget_secrets = forget_secrets_of_environment;
  process.make_api = make_client;
  process.out = [](std::string_view text) {
    return write_to(STDOUT_FILENO, "standard output", text);
  };
  process.err = [](std::string_view text) { static_cast<void>(write_all(STDERR_FILENO, text)); };
  process.open_file = [](const std::string& path) { return open_file(path, O_TRUNC); };
  process.append_to_file = [](const std::string& path) { return open_file(path, O_APPEND); };
  process.start_program = [programs = std::make_shared<system::Programs>()](
                              const std::string& command, std::string_view input) {
    return programs->start(command, input, settings::secret_variables());
  };
  process.clock = std::make_shared<system::SystemClocks>();
  process.survey = [clock = process.clock](doctor::SurveyOptions options,
                                           const doctor::Progress& progress,
                                           const doctor::Again& again) {
    return doctor::survey(std::move(options), *clock, progress, again);
  };
  process.on_interrupt = on_interrupt;
  process.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  process.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  process.columns = columns(process.surroundings);
  return process;
}

}  // namespace skewguard::cli
