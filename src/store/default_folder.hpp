#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace skewguard::store {

/// $XDG_RUNTIME_DIR/skewguard, else $XDG_STATE_HOME/skewguard, else $HOME/.local/state/skewguard;
/// empty if none is set. A variable that is not an absolute path is ignored (XDG Base Directory
/// Specification).
std::optional<std::string> default_folder(
    const std::function<std::optional<std::string>(std::string_view name)>& environment);

}  // namespace skewguard::store
