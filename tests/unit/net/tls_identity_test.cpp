#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "certificates.hpp"
#include "net/tls_engine.hpp"
#include "net/tls_identity.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_certificates::Identity;
using testing_certificates::key_file;
using testing_certificates::pem_file;
using testing_certificates::text_file;

constexpr WallTime kThen{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}};

class ClientIdentity : public testing::Test {
 protected:
  void TearDown() override {
    for (const auto& file : files_) std::remove(file.c_str());
  }
  static Identity made() {
    return testing_certificates::make(
        {.name = "client", .not_before = kThen - days{1}, .not_after = kThen + days{1}});
  }
  std::string kept(std::string path) {
    files_.push_back(path);
    return path;
  }
  std::string contents(const std::string& path) {
    std::string text(std::size_t{8} * 1024, '\0');
    std::FILE* file = std::fopen(path.c_str(), "r");
    EXPECT_NE(file, nullptr);
    if (file == nullptr) return "";
    text.resize(std::fread(text.data(), 1, text.size(), file));
    EXPECT_EQ(std::fclose(file), 0);
    return text;
  }

  Identity own_ = made();
  std::vector<std::string> files_;
  std::string certificate_ = kept(pem_file({own_.certificate}));
  std::string key_ = kept(key_file(own_.key));
};

TEST_F(ClientIdentity, CertificateAndKeyOfOnePairAreTaken) {
  EXPECT_EQ(check_client_identity({certificate_, key_}), std::nullopt);
}

TEST_F(ClientIdentity, OneFileMayHoldBothAndTheChain) {
  const auto both =
      kept(text_file(contents(key_) + contents(certificate_) +
                     contents(kept(pem_file({made().certificate, made().certificate})))));
  EXPECT_EQ(check_client_identity({both, both}), std::nullopt);
}

TEST_F(ClientIdentity, WhatIsMissingIsNamed) {
  EXPECT_THAT(check_client_identity({"/nowhere/c.pem", key_}).value_or(""),
              AllOf(HasSubstr("client certificate file /nowhere/c.pem cannot be read"),
                    HasSubstr("No such file")));
  EXPECT_THAT(
      check_client_identity({certificate_, "/nowhere/k.pem"}).value_or(""),
      AllOf(HasSubstr("client key file /nowhere/k.pem cannot be read"), HasSubstr("No such file")));
  EXPECT_THAT(check_client_identity({testing::TempDir(), key_}).value_or(""),
              HasSubstr("cannot be read"));
}

TEST_F(ClientIdentity, WhatIsNoPemIsNamedAndNotRepeated) {
  const auto text = kept(text_file("-----BEGIN NONSENSE-----\nhunter2\n"));
  const auto empty = kept(text_file(""));
  for (const auto& file : {text, empty, key_}) {
    EXPECT_THAT(
        check_client_identity({file, key_}).value_or(""),
        AllOf(HasSubstr("client certificate file " + file + " contains no usable certificate"),
              Not(HasSubstr("hunter2"))));
  }
  for (const auto& file : {text, empty, certificate_}) {
    EXPECT_THAT(check_client_identity({certificate_, file}).value_or(""),
                AllOf(HasSubstr("client key file " + file + " contains no usable private key"),
                      Not(HasSubstr("hunter2"))));
  }
}

TEST_F(ClientIdentity, AnEncryptedKeyIsSaidToBe) {
  const auto locked = kept(key_file(own_.key, "pass phrase"));
  EXPECT_THAT(check_client_identity({certificate_, locked}).value_or(""),
              HasSubstr("client key file " + locked + " is encrypted"));
}

TEST_F(ClientIdentity, AKeyOfAnotherCertificateIsRefused) {
  const auto other = kept(key_file(made().key));
  EXPECT_THAT(check_client_identity({certificate_, other}).value_or(""),
              AllOf(HasSubstr(other), HasSubstr("does not belong to the certificate in"),
                    HasSubstr(certificate_)));
}

TEST_F(ClientIdentity, AFileWithoutEndIsNotReadToItsEnd) {
  EXPECT_THAT(check_client_identity({"/dev/zero", key_}).value_or(""),
              HasSubstr("client certificate file /dev/zero cannot be read: File too large"));
}

TEST_F(ClientIdentity, AContextSaysWhatIsWrongWithIt) {
  const TlsContext context(TlsOptions{.client_identity = {{certificate_, "/nowhere/k.pem"}}});
  ASSERT_TRUE(context.fault().has_value());
  EXPECT_THAT(*context.fault(), HasSubstr("/nowhere/k.pem"));
  EXPECT_FALSE(TlsContext(TlsOptions{.client_identity = {{certificate_, key_}}}).fault());
}

}  // namespace
}  // namespace skewguard::net
