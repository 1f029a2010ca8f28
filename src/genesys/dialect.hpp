#pragma once

#include "oauth/dialect.hpp"

namespace skewguard::genesys {

/// The formats of Genesys Cloud: Basic with the raw id and secret, `error_description` or
/// `description` on the login host, ErrorBody on the API host (docs/platform.md section 1.2, 2.1,
/// 2.2). It reads RFC 6749 and 6750 answers as well, so that gateways and other servers are
/// understood.
class GenesysDialect final : public oauth::Dialect {
 public:
  [[nodiscard]] HttpRequest request(const oauth::Grant& grant,
                                    std::string_view token_url) const override;
  [[nodiscard]] Result<oauth::TokenAnswer> token(const clocks::Answer& answer) const override;
  [[nodiscard]] oauth::Refusal login_refusal(const Exchange& exchange) const override;
  [[nodiscard]] oauth::Refusal api_refusal(const Exchange& exchange, std::string_view path,
                                           bool managed) const override;
};

}  // namespace skewguard::genesys
