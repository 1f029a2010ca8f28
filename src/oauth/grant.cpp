#include "oauth/grant.hpp"

namespace skewguard::oauth {

ClientCredentials::ClientCredentials(std::string client_id, Secret client_secret,
                                     std::vector<std::pair<std::string, std::string>> params,
                                     ClientAuth client_auth)
    : client_id_(std::move(client_id)),
      client_secret_(std::move(client_secret)),
      params_(std::move(params)),
      client_auth_(client_auth) {}

std::vector<FormField> ClientCredentials::fields() const {
  std::vector<FormField> fields;
  fields.reserve(params_.size());
  for (const auto& [name, value] : params_) fields.push_back({name, Secret{value}});
  return fields;
}

Grants client_credentials(const ClientOptions& options, std::vector<Secret> secrets) {
  if (secrets.empty()) secrets.emplace_back();
  Grants grants;
  grants.reserve(secrets.size());
  for (Secret& secret : secrets) {
    grants.push_back(std::make_shared<ClientCredentials>(
        options.client_id, std::move(secret), options.token_params, options.client_auth));
  }
  return grants;
}

}  // namespace skewguard::oauth
