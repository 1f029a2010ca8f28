#include "runtime/stores.hpp"

#include <utility>

#include "store/default_folder.hpp"
#include "store/file_store.hpp"

namespace skewguard::runtime {

Result<std::shared_ptr<TokenStore>> make_store(
    const settings::TokenStoreChoice& choice,
    const std::function<std::optional<std::string>(std::string_view name)>& environment) {
  if (choice.kind != settings::TokenStoreChoice::Kind::file) return std::shared_ptr<TokenStore>();
  std::string folder = choice.folder;
  if (folder.empty()) folder = store::default_folder(environment).value_or("");
  if (folder.empty()) {
    return Error{ErrorKind::config, "there is no folder to keep tokens in",
                 "set XDG_RUNTIME_DIR or HOME, or use --token-store file:DIR, or none"};
  }
  return std::shared_ptr<TokenStore>(std::make_shared<store::FileStore>(std::move(folder)));
}

}  // namespace skewguard::runtime

namespace skewguard {

Result<std::shared_ptr<TokenStore>> file_token_store(std::string folder) {
  using Choice = settings::TokenStoreChoice;
  try {
    return runtime::make_store({.kind = Choice::Kind::file, .folder = std::move(folder)},
                               settings::process_surroundings().environment);
  } catch (...) {
    return Error{ErrorKind::unavailable, "out of memory", ""};
  }
}

}  // namespace skewguard
