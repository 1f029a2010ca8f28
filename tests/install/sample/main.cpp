#include <iostream>
#include <skewguard/client.hpp>
#include <string>

// Stands for the HTTP stack of the program: this one refuses the first token that it sees.
skewguard::SendResult my_stack(const skewguard::Bearer& bearer) {
  static const std::string first = bearer.token;
  skewguard::Exchange answer;
  answer.status = bearer.token == first ? 401 : 200;
  return answer;
}

int main() try {
  auto client = skewguard::Client::from_environment().or_throw();
  const auto answer = client.guard(my_stack, {.method = "GET"}).or_throw();
  std::cout << answer.status << " after " << answer.report.token_requests << " token requests\n";
} catch (const skewguard::Exception& e) {
  std::cout << to_string(e.error().kind) << ": " << e.what() << '\n';
  return 1;
}
