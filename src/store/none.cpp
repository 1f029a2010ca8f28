#include "store/none.hpp"

namespace skewguard::store {

std::optional<StoredToken> None::load(const std::string& /*key*/) {
  return std::nullopt;
}
void None::save(const std::string& /*key*/, const StoredToken& /*token*/) {}
void None::erase(const std::string& /*key*/) {}

}  // namespace skewguard::store
