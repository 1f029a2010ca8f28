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

int main() {
  auto client = skewguard::Client::from_environment();
  auto answer = client ? client->guard(my_stack, {.method = "GET"}) : client.error();
  if (!answer) {
    std::cerr << describe(answer.error()) << '\n';
    return 1;
  }
  std::cout << answer->status << " after " << answer->report.token_requests << " token requests\n";
}
