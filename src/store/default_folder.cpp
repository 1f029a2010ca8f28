#include "store/default_folder.hpp"

#include <array>
#include <utility>

namespace skewguard::store {

std::optional<std::string> default_folder(
    const std::function<std::optional<std::string>(std::string_view name)>& environment) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPlaces{{
      {"XDG_RUNTIME_DIR", "/skewguard"},
      {"XDG_STATE_HOME", "/skewguard"},
      {"HOME", "/.local/state/skewguard"},
  }};
  for (const auto& [name, below] : kPlaces) {
    auto base = environment(name);
    if (!base || !base->starts_with('/')) continue;
    while (base->ends_with('/')) base->pop_back();
    return base->append(below);
  }
  return std::nullopt;
}

}  // namespace skewguard::store
