#include "system/programs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "system/system_clocks.hpp"

namespace skewguard::system {
namespace {

Error cannot_start(int error) {
  return {.kind = ErrorKind::unavailable,
          .message = "cannot be started (" + std::generic_category().message(error) + ")",
          .remedy = "check this machine's limits on processes and files"};
}

/// A file in memory, positioned at its start: a slow reader blocks nobody.
class Input {
 public:
  explicit Input(std::string_view content) noexcept
      : fd_(::memfd_create("skewguard-input", MFD_CLOEXEC)) {
    while (fd_ >= 0 && !content.empty()) {
      const ssize_t wrote = ::write(fd_, content.data(), content.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return;
      content.remove_prefix(static_cast<std::size_t>(wrote));
    }
    whole_ = fd_ >= 0 && ::lseek(fd_, 0, SEEK_SET) == 0;
  }
  ~Input() {
    if (fd_ >= 0) ::close(fd_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  [[nodiscard]] bool whole() const noexcept { return whole_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
  bool whole_ = false;
};

/// This process's environment without some variables. The strings still belong to the process.
std::vector<char*> environment_without(const std::vector<std::string_view>& withheld) {
  std::vector<char*> kept;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (std::ranges::find(withheld, text.substr(0, text.find('='))) == withheld.end())
      kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

constexpr int kNothing = -1;  ///< no descriptor: /dev/null instead

/// Standard input from `input`, standard output to `output`, no other descriptors, default signal
/// handling.
class Plan {
 public:
  explicit Plan(int input, int output = kNothing) noexcept {
    ::posix_spawn_file_actions_init(&files_);
    connect(input, STDIN_FILENO);
    connect(output, STDOUT_FILENO);
    connect(kNothing, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t signals;
    sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ~Plan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Returns 0 or errno. `words` and `environment` end with a null pointer.
  int carry_out(pid_t& pid, const char* program, std::vector<char*> words,
                std::vector<char*> environment) {
    return ::posix_spawn(&pid, program, &files_, &attributes_, words.data(), environment.data());
  }

 private:
  void connect(int ours, int theirs) noexcept {
    if (ours == kNothing) {
      ::posix_spawn_file_actions_addopen(&files_, theirs, "/dev/null", O_RDWR, 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&files_, ours, theirs);
    }
  }

  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

/// A pipe whose reading end does not block.
class Pipe {
 public:
  Pipe() noexcept {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) return;
    ::fcntl(reading(), F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    close_writing();
    if (reading() >= 0) ::close(reading());
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int reading() const noexcept { return ends_[0]; }
  [[nodiscard]] int writing() const noexcept { return ends_[1]; }
  void close_writing() noexcept {
    if (writing() >= 0) ::close(std::exchange(ends_[1], -1));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Reads a pipe to its end.
Result<std::string> read_to_end(int pipe, const OutputLimits& limits) {
  SystemClocks clocks;
  const MonotonicTime end = clocks.now().mono + limits.time;
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clocks.now().mono);
    if (left.count() <= 0)
      return Error{.kind = ErrorKind::timeout, .message = "does not answer in time", .remedy = ""};
    pollfd more{pipe, POLLIN, 0};
    ::poll(&more, 1, static_cast<int>(left.count()));
    const ssize_t got = ::read(pipe, part.data(), part.size());
    if (got == 0) return text;
    if (got < 0 && errno != EAGAIN && errno != EINTR) return cannot_start(errno);
    if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > limits.bytes) {
      return Error{
          .kind = ErrorKind::protocol, .message = "writes more than it should", .remedy = ""};
    }
  }
}

/// Kills it, with all processes of its session that are still in its group.
void end_and_reap(pid_t pid) noexcept {
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

Result<std::string> output_of(const std::vector<std::string>& words, OutputLimits limits) {
  if (words.empty()) return cannot_start(EINVAL);
  Pipe pipe;
  if (pipe.reading() < 0) return cannot_start(errno);
  std::vector<std::string> texts = words;
  std::vector<char*> arguments;
  arguments.reserve(texts.size() + 1);
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::string locale = "LC_ALL=C", path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  pid_t pid = 0;
  const int error = Plan(kNothing, pipe.writing())
                        .carry_out(pid, words.front().c_str(), std::move(arguments),
                                   {locale.data(), path.data(), nullptr});
  if (error != 0) return cannot_start(error);
  pipe.close_writing();
  Result<std::string> text = read_to_end(pipe.reading(), limits);
  end_and_reap(pid);
  return text;
}

Programs::~Programs() {
  wait(kMoment);
  for (const Running& one : running_) {
    if (one.handle >= 0) ::close(one.handle);
  }
}

Result<void> Programs::start(const std::string& command, std::string_view input,
                             const std::vector<std::string_view>& withheld) {
  reap();
  if (running_.size() >= kMaxRunning) {
    return Error{.kind = ErrorKind::unavailable,
                 .message = "is not started: " + std::to_string(kMaxRunning) + " still run",
                 .remedy = "have it end sooner"};
  }
  const Input told(input);
  if (!told.whole()) return cannot_start(errno);
  std::string shell = "sh", option = "-c", words = command;
  pid_t pid = 0;
  const int error = Plan(told.fd()).carry_out(pid, "/bin/sh",
                                              {shell.data(), option.data(), words.data(), nullptr},
                                              environment_without(withheld));
  if (error != 0) return cannot_start(error);
  running_.push_back({pid, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))});
  return {};
}

std::size_t Programs::wait(Duration at_most) noexcept {
  SystemClocks clocks;
  const MonotonicTime end = clocks.now().mono + at_most;
  for (reap(); !running_.empty(); reap()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clocks.now().mono);
    pollfd ended{running_.front().handle, POLLIN, 0};  // -1 is passed over: then this only waits
    if (left.count() <= 0) break;
    if (::poll(&ended, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) break;
  }
  return running_.size();
}

void Programs::reap() noexcept {
  std::erase_if(running_, [](const Running& one) {
    const pid_t ended = ::waitpid(one.pid, nullptr, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
    if (one.handle >= 0) ::close(one.handle);
    return true;
  });
}

}  // namespace skewguard::system
