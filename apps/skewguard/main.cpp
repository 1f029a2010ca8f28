#include <fcntl.h>
#include <string.h>  // NOLINT: explicit_bzero is not in <cstring>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/secret_text.hpp"
#include "cli/process_io.hpp"
#include "cli/run.hpp"

namespace {

/// Ends at once, as a shell reports it: what a call has under way is of no more use, and a body is
/// printed whole or not at all.
extern "C" void end_by_signal(int signal) {
  constexpr int kSignalBase = 128;
  ::_exit(kSignalBase + signal);
}

void set_signals() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);  // a closed pipe is an error of write()

  struct sigaction end{};
  end.sa_handler = end_by_signal;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction inherited{};
    ::sigaction(signal, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) ::sigaction(signal, &end, nullptr);  // nohup, cron
  }
}

/// Fills standard descriptors that came closed with what fails at use, so that no socket gets one
/// of their numbers and with it what was meant for standard output.
void keep_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

/// The URL of a proxy may hold a password, and everybody may read a command line.
void hide_proxy(const std::vector<std::string>& words, char** argv) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool with_value = words[i].starts_with("--proxy=");
    if (!with_value && (i == 0 || words[i - 1] != "--proxy")) continue;
    if (words[i].find('@') != std::string::npos) ::explicit_bzero(argv[i + 1], words[i].size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_descriptors();
  set_signals();
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  hide_proxy(words, argv);
  skewguard::wipe_stack();
  return skewguard::cli::run(std::move(words), skewguard::cli::this_process());
}
