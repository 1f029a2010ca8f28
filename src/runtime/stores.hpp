#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "settings/settings.hpp"
#include "skewguard/token_store.hpp"

namespace skewguard::runtime {

/// The chosen store; null = none, also if nothing was chosen. Error (`config`): the default folder
/// is not known.
Result<std::shared_ptr<TokenStore>> make_store(
    const settings::TokenStoreChoice& choice,
    const std::function<std::optional<std::string>(std::string_view name)>& environment);

}  // namespace skewguard::runtime
