#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "heads.hpp"

namespace skewguard::relay::testing {
namespace {

using ::testing::HasSubstr;

HeadFault answer_fault(std::string_view bytes) {
  return fault_of<AnswerReader>(bytes);
}

HeadFault fault_of_status_line(std::string_view line) {
  return answer_fault(answer_with("", line));
}

TEST(AnswerHead, GivesEveryPartInItsSpelling) {
  EXPECT_EQ(outcome<AnswerReader>("HTTP/1.1 404 Not  found \xe4\r\nDATE: x\r\nA:\r\n\r\nbody"),
            "404 Not  found \xe4 v11\nDATE=x\nA=\n42");
}

TEST(AnswerHead, MayHaveNoReasonPhrase) {
  EXPECT_THAT(outcome<AnswerReader>(answer_with("", "HTTP/1.1 200 ")), HasSubstr("200  v11"));
  EXPECT_THAT(outcome<AnswerReader>(answer_with("", "HTTP/1.0 999")), HasSubstr("999  v10 close"));
}

TEST(AnswerHead, RefusesAMalformedStatusLine) {
  for (const auto* line :
       {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1  200 OK",
        "HTTP/1.1 2x0 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 200OK", "HTTP/1.1\t200 OK", "HTTP/1.11 200",
        "HTTPS/1.1 200 OK", "HTTP/1.1 099 OK", "HTTP/1.1 101 Switching Protocols"})
    EXPECT_EQ(fault_of_status_line(line), HeadFault::bad_status_line) << line;
  EXPECT_EQ(fault_of_status_line("HTTP/2.0 200 OK"), HeadFault::unsupported_version);
  EXPECT_EQ(fault_of_status_line("HTTP/1.1 200 O\x01K"), HeadFault::control_character);
  EXPECT_EQ(fault_of_status_line("ICY 200 OK"), HeadFault::not_http);
  EXPECT_EQ(answer_fault("\r\nHTTP/1.1 200 OK\r\n\r\n"), HeadFault::not_http);
  EXPECT_EQ(answer_fault("x"), HeadFault::not_http);
  EXPECT_EQ(fault_of_status_line("HTTP/1.1 100"), HeadFault::none);
}

TEST(AnswerHead, RefusesTheSameFieldsAsARequest) {
  EXPECT_EQ(answer_fault(answer_with("A: 1\r\n 2\r\n")), HeadFault::folded_field);
  EXPECT_EQ(answer_fault(answer_with("A : 1\r\n")), HeadFault::bad_field_name);
  EXPECT_EQ(answer_fault(answer_with("A: \x7f\r\n")), HeadFault::control_character);
  EXPECT_EQ(answer_fault("HTTP/1.1 200 OK\nA: 1\r\n\r\n"), HeadFault::bare_line_feed);
  EXPECT_EQ(answer_fault(answer_with("Content-Length: x\r\n")), HeadFault::bad_content_length);
  EXPECT_EQ(answer_fault(answer_with("Transfer-Encoding: gzip\r\n")),
            HeadFault::bad_transfer_coding);
  EXPECT_EQ(answer_fault(answer_with("Transfer-Encoding: chunked\r\n", "HTTP/1.0 200 OK")),
            HeadFault::coding_in_http_1_0);
  EXPECT_EQ(answer_fault(answer_with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")),
            HeadFault::length_and_coding);
}

TEST(AnswerHead, TakesEqualLengthsButNotDifferentOnes) {
  EXPECT_THAT(outcome<AnswerReader>(answer_with("Content-Length: 3\r\nContent-Length: 03\r\n")),
              HasSubstr("length=3"));
  EXPECT_EQ(answer_fault(answer_with("Content-Length: 3\r\nContent-Length: 4\r\n")),
            HeadFault::content_length_repeated);
  EXPECT_EQ(answer_fault(answer_with("Content-Length: 3, 3\r\n")), HeadFault::bad_content_length);
}

TEST(AnswerHead, NeedsNoHost) {
  EXPECT_EQ(outcome<AnswerReader>("HTTP/1.1 204 No Content\r\n\r\n"), "204 No Content v11\n27");
}

TEST(AnswerHead, IsReadTheSameHoweverItArrives) {
  for (const auto& bytes :
       {answer_with("A: 1\r\nB:\t2 \r\nContent-Length: 3\r\n"), answer_with("", "HTTP/1.1 200"),
        answer_with("A: 1\r\n 2\r\n"), std::string("HTTP/1.1 200 OK\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nA: 1\r\n\n")}) {
    const std::string whole = outcome<AnswerReader>(bytes);
    for (std::size_t first = 0; first < bytes.size(); ++first)
      EXPECT_EQ(outcome<AnswerReader>(bytes, first), whole) << bytes << " after " << first;
  }
}

}  // namespace
}  // namespace skewguard::relay::testing
