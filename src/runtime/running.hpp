#pragma once

#include <unistd.h>

#include <functional>
#include <memory>

#include "engine/engine.hpp"
#include "runtime/io_loop.hpp"
#include "runtime/publication.hpp"
#include "skewguard/client.hpp"

namespace skewguard::runtime {

/// A running client: loop, transport and engine, started together and ended in reverse order.
/// Shared by the client and its calls in progress.
class Running : public std::enable_shared_from_this<Running> {
 public:
  /// `uses` must be complete, but that executor and transport may both be left out, and so may the
  /// store: then no token is kept. `given_token`: as in engine::EngineDeps.
  static std::shared_ptr<Running> start(const ClientOptions& options, oauth::Grants grants,
                                        std::shared_ptr<const Secret> given_token,
                                        const Hooks& hooks, const Dependencies& uses,
                                        const std::shared_ptr<Publication>& publication);

  /// Runs `what` on the loop with the engine, or with null if the client has ended.
  void on_loop(std::function<void(engine::Engine*)> what);
  /// Thread-safe.
  [[nodiscard]] Now now() const { return uses_.clock->now(); }
  /// Whether the caller runs on the loop, so that it must not wait for it.
  [[nodiscard]] bool inside() const noexcept;
  Executor& executor() noexcept { return own_loop_ ? *own_loop_ : *uses_.executor; }
  /// Whether this process was forked from the one that started it, so that no thread runs it.
  [[nodiscard]] bool of_another_process() const noexcept;
  /// Releases its parts without ending them: for a forked process.
  void abandon() noexcept;
  /// Ends the engine: what is under way gets `cancelled`. Waits for a loop of our own, and so for
  /// the hook or handler that runs there, unless it is called there; so too for one that runs here.
  void end() noexcept;

  explicit Running(const Dependencies& uses);  ///< start() makes it

 private:
  const pid_t process_ = ::getpid();
  Dependencies uses_;                 // what the engine runs on lives as long as it does
  std::unique_ptr<IoLoop> own_loop_;  // where the user brings none
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Referee> referee_;  // null: nobody is asked what time it is
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace skewguard::runtime
