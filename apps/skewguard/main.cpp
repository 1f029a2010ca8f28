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

}  // namespace

int main(int argc, char** argv) {
  set_signals();
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  return skewguard::cli::run(words, skewguard::cli::process_world());
}
