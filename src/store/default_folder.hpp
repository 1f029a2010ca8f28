#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace skewguard::store {

/// $XDG_RUNTIME_DIR/skewguard, else $XDG_STATE_HOME/skewguard, else $HOME/.local/state/skewguard;
/// nothing where none is set. A variable that is no absolute path is passed over (XDG Base
/// Directory Specification: it is invalid and must be ignored).
std::optional<std::string> default_folder(
    const std::function<std::optional<std::string>(std::string_view name)>& environment);

}  // namespace skewguard::store
