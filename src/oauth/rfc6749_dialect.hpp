#pragma once

#include "oauth/dialect.hpp"

namespace skewguard::oauth {

/// Any OAuth 2.0 server and API: RFC 6749 for tokens, RFC 6750 for their use.
class Rfc6749Dialect final : public Dialect {
 public:
  [[nodiscard]] HttpRequest request(const Grant& grant, std::string_view token_url) const override;
  [[nodiscard]] Result<TokenAnswer> token(const clocks::Answer& answer) const override;
  [[nodiscard]] Refusal login_refusal(const Exchange& exchange) const override;
  [[nodiscard]] Refusal api_refusal(const Exchange& exchange, std::string_view path,
                                    bool managed) const override;
};

}  // namespace skewguard::oauth
