#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "skewguard/client.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::oauth {

struct FormField {
  std::string name;
  Secret value;
};

/// An authorization grant (RFC 6749 section 1.3). An open set: the machines know only this
/// interface.
class Grant {
 public:
  virtual ~Grant() = default;
  [[nodiscard]] virtual std::string_view grant_type() const = 0;
  /// The form fields besides grant_type, in order. A field of that name replaces it.
  [[nodiscard]] virtual std::vector<FormField> fields() const = 0;
  [[nodiscard]] virtual const std::string& client_id() const = 0;
  /// Empty = a public client.
  [[nodiscard]] virtual const Secret& client_secret() const = 0;
  [[nodiscard]] virtual ClientAuth client_auth() const { return ClientAuth::basic; }
};

/// Ways to ask for the same token, in the order in which they are tried: while a secret is
/// replaced, the old one and the new.
using Grants = std::vector<std::shared_ptr<const Grant>>;

/// RFC 6749 section 4.4.
class ClientCredentials final : public Grant {
 public:
  ClientCredentials(std::string client_id, Secret client_secret,
                    std::vector<std::pair<std::string, std::string>> params = {},
                    ClientAuth client_auth = ClientAuth::basic);
  [[nodiscard]] std::string_view grant_type() const override { return "client_credentials"; }
  [[nodiscard]] std::vector<FormField> fields() const override;
  [[nodiscard]] const std::string& client_id() const override { return client_id_; }
  [[nodiscard]] const Secret& client_secret() const override { return client_secret_; }
  [[nodiscard]] ClientAuth client_auth() const override { return client_auth_; }

 private:
  std::string client_id_;
  Secret client_secret_;
  std::vector<std::pair<std::string, std::string>> params_;
  ClientAuth client_auth_;
};

/// One grant for each of `secrets`, in their order: from here on the grants alone hold them.
/// Without any, the one grant of a public client. Everything else is taken from `options`, whose
/// own secrets count for nothing.
Grants client_credentials(const ClientOptions& options, std::vector<Secret> secrets);

}  // namespace skewguard::oauth
