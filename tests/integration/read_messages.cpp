// read_messages: how the relay's codec reads messages. Each line of the input is "request" or
// "answer", a space, and the bytes in hexadecimal. For each, a line of JSON: null if it is not
// taken; otherwise what it says, texts in hexadecimal. Driven by test_llhttp.py.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "relay/characters.hpp"
#include "relay_reading.hpp"

namespace {

using namespace skewguard;

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2)
    bytes += static_cast<char>(relay::hex_value(text[at]) * 16 + relay::hex_value(text[at + 1]));
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) / 16U];
    text += kDigits[static_cast<unsigned char>(c) % 16U];
  }
  return text;
}

nlohmann::json reading(const std::string& bytes, bool request) {
  const auto message = fuzz::ours(bytes, request);
  if (!message) return nullptr;
  auto fields = nlohmann::json::array();
  for (const auto& field : message->fields) fields.push_back(to_hex(field));
  return {{"start", to_hex(message->start)},
          {"fields", fields},
          {"body", to_hex(message->body)},
          {"size", message->size}};
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::size_t space = line.find(' ');
    const bool request = line.substr(0, space) == "request";
    std::cout << reading(from_hex(std::string_view(line).substr(space + 1)), request) << '\n';
  }
  return 0;
}
