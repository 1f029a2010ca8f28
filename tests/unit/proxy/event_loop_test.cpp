#include "proxy/event_loop.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace skewguard::proxy {
namespace {

/// Something that happens when it is told to.
class Signal final : public EventLoop::Watched {
 public:
  Signal(EventLoop& loop, std::string name, std::string& log)
      : loop_(loop), name_(std::move(name)), log_(log) {
    EXPECT_TRUE(loop_.watch(*this, event_.get(), EPOLLIN | EPOLLET));
  }
  ~Signal() override { loop_.forget(event_.get()); }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void raise() const { ::eventfd_write(event_.get(), 1); }
  void again() { loop_.again(event_.get()); }
  [[nodiscard]] bool seen() const noexcept { return (seen_ & EPOLLIN) != 0; }
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }

  std::function<void()> then = [] {};

 private:
  void ready() override {
    log_ += name_;
    then();
  }

  EventLoop& loop_;
  Descriptor event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::string name_;
  std::string& log_;
};

class Loop : public ::testing::Test {
 protected:
  EventLoop loop;
  std::string log;
};

TEST_F(Loop, TellsOnceOfWhatHappens) {
  const Signal a(loop, "a", log);
  loop.poll();
  EXPECT_EQ(log, "");
  a.raise();
  loop.poll();
  EXPECT_EQ(log, "a") << "though nobody has read it";
  a.raise();
  loop.poll();
  EXPECT_EQ(log, "aa");
}

TEST_F(Loop, NotesAllThatHasHappenedBeforeItTellsAnyone) {
  Signal a(loop, "a", log);
  Signal b(loop, "b", log);
  int told_first = 0;
  a.then = [&] { told_first += log == "a" && b.seen() ? 1 : 0; };
  b.then = [&] { told_first += log == "b" && a.seen() ? 1 : 0; };
  a.raise();
  b.raise();
  loop.run_once();
  EXPECT_EQ(log.size(), 2U);
  EXPECT_EQ(told_first, 1);
}

TEST_F(Loop, DoesNotTellOneThatHasEndedInTheSameTurn) {
  auto a = std::make_unique<Signal>(loop, "a", log);
  auto b = std::make_unique<Signal>(loop, "b", log);
  a->then = [&] { b.reset(); };
  b->then = [&] { a.reset(); };
  a->raise();
  b->raise();
  loop.poll();
  EXPECT_EQ(log.size(), 1U);
}

TEST_F(Loop, DoesNotTakeASuccessorForTheOneBefore) {
  auto old = std::make_unique<Signal>(loop, "old", log);
  const int descriptor = old->descriptor();
  Signal first(loop, "first ", log);
  std::unique_ptr<Signal> successor;
  const auto replace = [&] {
    if (successor) return;
    old.reset();
    successor = std::make_unique<Signal>(loop, "new", log);
  };
  first.then = replace;
  first.again();  // before the turn of `old`
  old->again();
  loop.poll();
  ASSERT_EQ(successor->descriptor(), descriptor);
  EXPECT_EQ(log, "first ");
}

TEST_F(Loop, GivesAnotherTurnAfterAllOthers) {
  Signal a(loop, "a", log);
  const Signal b(loop, "b", log);
  a.then = [&] {
    if (log.size() < 4) a.again();
  };
  a.raise();
  loop.run_once();
  b.raise();
  loop.poll();
  EXPECT_EQ(log, "abaa");
}

TEST_F(Loop, CallsWhatIsHandedOverInItsOrder) {
  loop.post([this] {
    log += "1";
    loop.post([this] { log += "3"; });
  });
  loop.post([this, kept = std::make_unique<int>(2)] { log += std::to_string(*kept); });
  EXPECT_EQ(log, "") << "not from within the call";
  loop.poll();
  EXPECT_EQ(log, "123");
}

TEST_F(Loop, RunsUntilAnotherThreadStopsIt) {
  std::thread other([this] {
    loop.post([this] { log += "from another thread"; });
    loop.post([this] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(log, "from another thread");
}

TEST_F(Loop, DropsWhatItNeverCalled) {
  const auto kept = std::make_shared<int>();
  loop.post([this, kept] { log += "called"; });
  loop.drop_tasks();
  EXPECT_EQ(kept.use_count(), 1);
  loop.poll();
  EXPECT_EQ(log, "");
}

TEST_F(Loop, CallsBeforeItWaits) {
  loop.before_waiting([this] { log += "."; });
  loop.post([this] { log += "x"; });
  loop.run_once();
  loop.post([this] { log += "y"; });
  loop.run_once();
  EXPECT_EQ(log, ".x.y");
}

TEST_F(Loop, ATimerCallsOnce) {
  LoopTimer timer(loop);
  timer.arm(Duration{0}, [this] { log += "t"; });
  loop.run_once();
  loop.poll();
  EXPECT_EQ(log, "t");
}

TEST_F(Loop, ATimerIsArmedAnewFromWithin) {
  LoopTimer timer(loop);
  timer.arm(Duration{1}, [&] {
    log += "1";
    timer.arm(Duration{1}, [this] { log += "2"; });
  });
  while (log.size() < 2) loop.run_once();
  EXPECT_EQ(log, "12");
}

TEST_F(Loop, ATimerThatIsDueIsNotCalledOnceItIsDisarmedOrReplaced) {
  LoopTimer disarmed(loop);
  LoopTimer replaced(loop);
  Signal a(loop, "a", log);
  a.then = [&] {
    disarmed.disarm();
    replaced.arm(std::chrono::hours{1}, [this] { log += "later"; });
  };
  a.raise();  // has its turn first
  disarmed.arm(Duration{1}, [this] { log += "disarmed"; });
  replaced.arm(Duration{1}, [this] { log += "replaced"; });
  loop.poll();
  EXPECT_EQ(log, "a");
}

}  // namespace
}  // namespace skewguard::proxy
