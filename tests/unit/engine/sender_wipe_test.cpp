// What the sender leaves in memory of an answer that it does not pass on.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "../traces.hpp"
#include "parts.hpp"

namespace skewguard::engine {
namespace {

constexpr auto kMarked = traces::marked<240>();

/// How many blocks were given back with a mark in them, once an answer with a marked body that no
/// gzip could have written had come and was dropped.
int traces_of(int status) {
  Parts parts;
  parts.sender.send({"GET", "https://api.example.com/x", {}, {}, {}}, {}, parts.clocks.api(), {},
                    [](const clocks::AnswerResult&) {});
  Exchange answer = parts.answer(status);
  answer.headers.add("Content-Encoding", "gzip");
  answer.body = std::string(kMarked.view());
  traces::on_the_heap = 0;
  parts.transport.sent.at(0).handler(std::move(answer));
  parts.machine->run();
  return traces::on_the_heap;
}

TEST(SenderWipe, LeavesNothingOfABodyThatCannotBeDecoded) {
  EXPECT_GT(traces_of(404), 0) << "an error's body is passed on: otherwise this test sees nothing";
  EXPECT_EQ(traces_of(200), 0);
}

}  // namespace
}  // namespace skewguard::engine
