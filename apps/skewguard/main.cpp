#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "cli/run.hpp"
#include "cli/world.hpp"

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

}  // namespace

int main(int argc, char** argv) {
  keep_standard_descriptors();
  set_signals();
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  return skewguard::cli::run(words, skewguard::cli::process_world());
}
