#include "store/none.hpp"

namespace skewguard::store {

Result<std::optional<StoredToken>> None::load(const std::string& /*key*/) {
  return std::optional<StoredToken>{};
}
Result<void> None::save(const std::string& /*key*/, const StoredToken& /*token*/) {
  return {};
}
Result<void> None::erase(const std::string& /*key*/) {
  return {};
}
Result<bool> None::claim(const std::string& /*key*/) {
  return true;
}
void None::release(const std::string& /*key*/) {}

}  // namespace skewguard::store
