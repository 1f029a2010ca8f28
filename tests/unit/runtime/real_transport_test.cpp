#include "runtime/real_transport.hpp"

#include <gtest/gtest.h>

namespace skewguard::runtime {
namespace {

TEST(TlsOptions, TakeTheFilesFromTheClientsOptions) {
  ClientOptions options;
  EXPECT_FALSE(tls_options(options).ca_file) << "the system's authorities";
  EXPECT_FALSE(tls_options(options).client_identity);
  options.ca_file = "ca.pem";
  options.client_cert_file = "client.pem";
  options.client_key_file = "client.key";
  const net::TlsOptions tls = tls_options(options);
  EXPECT_EQ(tls.ca_file, "ca.pem");
  ASSERT_TRUE(tls.client_identity);
  EXPECT_EQ(tls.client_identity->certificate, "client.pem");
  EXPECT_EQ(tls.client_identity->key, "client.key");
}

}  // namespace
}  // namespace skewguard::runtime
