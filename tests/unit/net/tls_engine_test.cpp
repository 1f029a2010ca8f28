#include "net/tls_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/conf.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "certificates.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using testing::AllOf;
using testing::HasSubstr;
using testing_certificates::authority_spec;
using testing_certificates::Certificate;
using testing_certificates::Identity;
using testing_certificates::kNow;
using testing_certificates::Spec;
using Kind = TransportFailure::Kind;
using Step = TlsEngine::Step;

Spec leaf_spec() {
  return {.dns = {"api.example"}, .not_before = kNow - days{10}, .not_after = kNow + days{10}};
}

/// The server's side, using only OpenSSL and none of the code under test.
class Server {
 public:
  explicit Server(const Identity& identity, const std::vector<Certificate>& chain = {},
                  int highest = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
    SSL_CTX_set_security_level(context_.get(), 0);  // so that it can be old-fashioned
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), highest);
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    for (const auto& certificate : chain) {
      SSL_CTX_add1_chain_cert(context_.get(), certificate.get());
    }
    ssl_.reset(SSL_new(context_.get()), &SSL_free);
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  std::string answer(const std::string& bytes) {
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    if (SSL_is_init_finished(ssl_.get()) == 0) SSL_do_handshake(ssl_.get());
    return output();
  }
  std::string say(const std::string& plain) {
    SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    return output();
  }
  std::string good_bye() {
    SSL_shutdown(ssl_.get());
    return output();
  }
  std::string read() {
    std::array<char, 100'000> plain{};
    const int size = SSL_read(ssl_.get(), plain.data(), plain.size());
    return {plain.data(), static_cast<std::size_t>(std::max(size, 0))};
  }
  SSL* ssl() { return ssl_.get(); }

 private:
  std::string output() {
    std::array<char, 100'000> bytes{};
    const int size = BIO_read(SSL_get_wbio(ssl_.get()), bytes.data(), bytes.size());
    return {bytes.data(), static_cast<std::size_t>(std::max(size, 0))};
  }
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
};

/// Completes the handshake. Returns what the server sends after it (session tickets).
Step shake_hands(TlsEngine& client, Server& server, std::string* after = nullptr) {
  for (int turn = 0; turn < 10; ++turn) {
    const auto step = client.handshake();
    if (step == Step::failed) return step;
    const auto reply = server.answer(client.output());
    if (step == Step::done) {
      if (after != nullptr) *after = reply;
      return step;
    }
    client.feed(reply);
  }
  return Step::want_input;
}

class TlsTrust : public testing::Test {
 protected:
  TlsTrust() : authority_(testing_certificates::make(authority_spec())) {}
  void TearDown() override {
    for (const auto& file : files_) EXPECT_EQ(std::remove(file.c_str()), 0);
  }

  TlsOptions trusting(const std::vector<Certificate>& certificates) {
    files_.push_back(testing_certificates::pem_file(certificates));
    return {.ca_file = files_.back()};
  }

  /// What a client that trusts the authority makes of such a server: nothing, or its failure.
  std::optional<TransportFailure> meet(const Identity& identity,
                                       const std::string& host = "api.example",
                                       const std::vector<Certificate>& chain = {}) {
    const TlsContext context(trusting({authority_.certificate}));
    EXPECT_EQ(context.fault(), std::nullopt);
    TlsEngine client(context, {host, 443, kNow});
    Server server(identity, chain);
    if (shake_hands(client, server) == Step::done) return std::nullopt;
    return client.failure();
  }

  Identity authority_;
  std::vector<std::string> files_;
};

TEST_F(TlsTrust, ACertificateOfTheGivenAuthorityIsAccepted) {
  EXPECT_EQ(meet(testing_certificates::make(leaf_spec(), &authority_)), std::nullopt);
}

TEST_F(TlsTrust, AnAddressIsMatchedWithTheCertificatesAddresses) {
  auto spec = leaf_spec();
  spec.addresses = {"127.0.0.1", "::1"};
  const auto identity = testing_certificates::make(spec, &authority_);
  EXPECT_EQ(meet(identity, "127.0.0.1"), std::nullopt);
  EXPECT_EQ(meet(identity, "::1"), std::nullopt);
  const auto failure = meet(identity, "127.0.0.2");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
}

TEST_F(TlsTrust, AnExpiredCertificateIsAMatterOfTimeWithItsDates) {
  auto spec = leaf_spec();
  spec.not_after = kNow - std::chrono::seconds{1};
  const auto failure = meet(testing_certificates::make(spec, &authority_));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_time);
  EXPECT_EQ(failure->not_before, spec.not_before);
  EXPECT_EQ(failure->not_after, spec.not_after);
  EXPECT_THAT(failure->detail,
              AllOf(HasSubstr("api.example:443"), HasSubstr("has expired"),
                    HasSubstr("2026-03-14T00:00:00Z"), HasSubstr("2026-03-13T23:59:59Z")));
}

TEST_F(TlsTrust, ACertificateThatIsNotYetValidIsAMatterOfTimeWithItsDates) {
  auto spec = leaf_spec();
  spec.not_before = kNow + std::chrono::seconds{1};
  const auto failure = meet(testing_certificates::make(spec, &authority_));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_time);
  EXPECT_EQ(failure->not_before, spec.not_before);
  EXPECT_THAT(failure->detail, HasSubstr("not yet valid"));
}

TEST_F(TlsTrust, TheDatesAreThoseOfTheCertificateThatIsOutOfTime) {
  auto spec = authority_spec("Intermediate");
  spec.not_after = kNow - days{3};
  const auto intermediate = testing_certificates::make(spec, &authority_);
  const auto leaf = testing_certificates::make(leaf_spec(), &intermediate);
  const auto failure = meet(leaf, "api.example", {intermediate.certificate});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_time);
  EXPECT_EQ(failure->not_after, spec.not_after);
}

TEST_F(TlsTrust, TheDatesAreThoseAtWhichAllOfTheChainIsGood) {
  auto above = authority_spec("Intermediate");
  above.not_before = kNow + days{1};
  const auto intermediate = testing_certificates::make(above, &authority_);
  auto spec = leaf_spec();
  spec.not_after = kNow - days{1};
  const auto failure = meet(testing_certificates::make(spec, &intermediate), "api.example",
                            {intermediate.certificate});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_time);
  EXPECT_EQ(failure->not_before, above.not_before);
  EXPECT_EQ(failure->not_after, spec.not_after);
}

TEST_F(TlsTrust, TheCertificateOfTheChainThatHasEndedIsNamed) {
  auto spec = authority_spec("Issuing CA");
  spec.not_after = kNow - days{3};
  const auto intermediate = testing_certificates::make(spec, &authority_);
  const auto failure = meet(testing_certificates::make(leaf_spec(), &intermediate), "api.example",
                            {intermediate.certificate});
  ASSERT_TRUE(failure);
  EXPECT_THAT(
      failure->detail,
      HasSubstr("the intermediate certificate \"Issuing CA\" that api.example:443 sends has "
                "expired"));
  using Place = CertificateLife::Place;
  ASSERT_EQ(failure->chain.size(), 3U);
  EXPECT_EQ(failure->chain[0].place, Place::server);
  EXPECT_EQ(failure->chain[1].place, Place::intermediate);
  EXPECT_EQ(failure->chain[1].name, "Issuing CA");
  EXPECT_EQ(failure->chain[1].not_after, spec.not_after);
  EXPECT_EQ(failure->chain[2].place, Place::trusted);
  EXPECT_EQ(failure->chain[2].name, "Test Authority");
}

TEST_F(TlsTrust, ATrustedCertificateThatHasEndedIsNamed) {
  auto spec = authority_spec("Old Root");
  spec.not_after = kNow - days{3};
  authority_ = testing_certificates::make(spec);
  const auto failure = meet(testing_certificates::make(leaf_spec(), &authority_), "api.example",
                            {authority_.certificate});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_time);
  EXPECT_THAT(failure->detail, HasSubstr("\"Old Root\" among those that this machine trusts"));
}

TEST_F(TlsTrust, ACommonNameIsNotLookedAt) {
  auto spec = leaf_spec();
  spec.dns.clear();
  for (const std::string name : {"api.example", "127.0.0.1"}) {
    spec.name = name;
    const auto failure = meet(testing_certificates::make(spec, &authority_), name);
    ASSERT_TRUE(failure) << name;
    EXPECT_EQ(failure->kind, Kind::tls_untrusted);
    EXPECT_THAT(failure->detail, HasSubstr("no subjectAltName"));
  }
}

TEST_F(TlsTrust, AWrongHostIsUntrustedAndBothNamesAreSaid) {
  const auto failure = meet(testing_certificates::make(leaf_spec(), &authority_), "login.example");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
  EXPECT_THAT(failure->detail, AllOf(HasSubstr("for api.example,"), HasSubstr("login.example")));
  EXPECT_EQ(failure->not_after, std::nullopt);
}

TEST_F(TlsTrust, ExpiredAndForAnotherHostIsUntrustedNotAMatterOfTime) {
  auto spec = leaf_spec();
  spec.not_after = kNow - days{1};
  const auto failure = meet(testing_certificates::make(spec, &authority_), "login.example");
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
}

TEST_F(TlsTrust, ExpiredAndOfAnUnknownIssuerIsUntrustedNotAMatterOfTime) {
  auto spec = leaf_spec();
  spec.not_after = kNow - days{1};
  const auto other = testing_certificates::make(authority_spec("Other"));
  const auto failure = meet(testing_certificates::make(spec, &other));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
}

TEST_F(TlsTrust, ASelfSignedCertificateIsUntrustedInThoseWords) {
  const auto failure = meet(testing_certificates::make(leaf_spec()));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
  EXPECT_THAT(failure->detail, HasSubstr("self-signed"));
}

TEST_F(TlsTrust, AnUnknownIssuerIsUntrustedAndNamed) {
  const auto other = testing_certificates::make(authority_spec("Other Authority"));
  const auto failure = meet(testing_certificates::make(leaf_spec(), &other));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
  EXPECT_THAT(failure->detail, AllOf(HasSubstr("unknown issuer"), HasSubstr("Other Authority")));
}

TEST_F(TlsTrust, AnUnknownRootThatCameAlongIsUntrustedAndNamed) {
  const auto other = testing_certificates::make(authority_spec("Other Authority"));
  const auto failure =
      meet(testing_certificates::make(leaf_spec(), &other), "api.example", {other.certificate});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
  EXPECT_THAT(failure->detail, HasSubstr("Other Authority"));
}

TEST_F(TlsTrust, ALeafCannotVouchForAnotherLeaf) {
  const auto middle = testing_certificates::make(leaf_spec(), &authority_);
  const auto failure =
      meet(testing_certificates::make(leaf_spec(), &middle), "api.example", {middle.certificate});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Kind::tls_untrusted);
}

TEST_F(TlsTrust, ANameWithControlBytesDoesNotReachTheMessage) {
  auto spec = leaf_spec();
  spec.dns.clear();
  spec.name = "evil\x1b[2J\nname";
  const auto failure = meet(testing_certificates::make(spec, &authority_));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->detail.find_first_of("\x1b\n"), std::string::npos);
}

class TlsEngineTest : public TlsTrust {
 protected:
  Identity identity_ = testing_certificates::make(leaf_spec(), &authority_);
  TlsContext context_{trusting({authority_.certificate})};
};

TEST_F(TlsEngineTest, SendsTheServerTheNameAndHttp11) {
  TlsEngine client(context_, {"api.example", 443, kNow});
  Server server(identity_);
  ASSERT_EQ(shake_hands(client, server), Step::done);
  EXPECT_STREQ(SSL_get_servername(server.ssl(), TLSEXT_NAMETYPE_host_name), "api.example");
  EXPECT_EQ(SSL_version(server.ssl()), TLS1_3_VERSION);
}

TEST_F(TlsEngineTest, TheRootsDotIsNeitherSentNorDemanded) {
  TlsEngine client(context_, {"api.example.", 443, kNow});
  Server server(identity_);
  ASSERT_EQ(shake_hands(client, server), Step::done);
  EXPECT_STREQ(SSL_get_servername(server.ssl(), TLSEXT_NAMETYPE_host_name), "api.example");
}

TEST_F(TlsEngineTest, Tls12IsSpokenAndTls11IsNot) {
  TlsEngine client(context_, {"api.example", 443, kNow});
  Server modern(identity_, {}, TLS1_2_VERSION);
  EXPECT_EQ(shake_hands(client, modern), Step::done);

  TlsEngine strict(context_, {"api.example", 443, kNow});
  Server old(identity_, {}, TLS1_1_VERSION);
  EXPECT_EQ(shake_hands(strict, old), Step::failed);
  EXPECT_EQ(strict.failure().kind, Kind::tls_failed);
}

TEST_F(TlsEngineTest, CarriesBytesBothWays) {
  TlsEngine client(context_, {"api.example", 443, kNow});
  Server server(identity_);
  std::string tickets;
  ASSERT_EQ(shake_hands(client, server, &tickets), Step::done);
  client.feed(tickets);
  ASSERT_TRUE(client.write("GET / "));
  server.answer(client.output());
  EXPECT_EQ(server.read(), "GET / ");
  client.feed(server.say("hello"));
  std::array<char, 3> buffer{};
  std::size_t size = 0;
  ASSERT_EQ(client.read(buffer, size), Step::done);
  EXPECT_EQ(std::string(buffer.data(), size), "hel");
  ASSERT_EQ(client.read(buffer, size), Step::done);
  EXPECT_EQ(std::string(buffer.data(), size), "lo");
  EXPECT_EQ(client.read(buffer, size), Step::want_input);
}

TEST_F(TlsEngineTest, SessionTicketsAreNoAnswer) {
  TlsEngine client(context_, {"api.example", 443, kNow});
  Server server(identity_);
  std::string tickets;
  ASSERT_EQ(shake_hands(client, server, &tickets), Step::done);
  ASSERT_FALSE(tickets.empty());  // else this proves nothing
  client.feed(tickets);
  EXPECT_EQ(client.peek(), Step::want_input);
  client.feed(server.say("HTTP/1.1 408 "));
  EXPECT_EQ(client.peek(), Step::done);
}

TEST_F(TlsEngineTest, AGoodByeIsAnEndAndGarbageIsAFailure) {
  TlsEngine client(context_, {"api.example", 443, kNow});
  Server server(identity_);
  std::string tickets;
  ASSERT_EQ(shake_hands(client, server, &tickets), Step::done);
  client.feed(tickets);
  client.feed(server.good_bye());
  EXPECT_EQ(client.peek(), Step::closed);

  TlsEngine other(context_, {"api.example", 443, kNow});
  Server second(identity_);
  ASSERT_EQ(shake_hands(other, second, &tickets), Step::done);
  other.feed(std::string("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(other.peek(), Step::failed);
  EXPECT_EQ(other.failure().kind, Kind::tls_failed);
}

TEST_F(TlsEngineTest, AServerThatDoesNotSpeakTlsFailsTheHandshake) {
  TlsEngine client(context_, {"api.example", 8080, kNow});
  ASSERT_EQ(client.handshake(), Step::want_input);
  client.output();
  client.feed(std::string("HTTP/1.1 400 Bad Request\r\n\r\n"));
  ASSERT_EQ(client.handshake(), Step::failed);
  EXPECT_EQ(client.failure().kind, Kind::tls_failed);
  EXPECT_THAT(client.failure().detail,
              AllOf(HasSubstr("api.example:8080"), HasSubstr("plain HTTP"), HasSubstr("http://")));
}

TEST_F(TlsEngineTest, WhatIsNeitherTlsNorHttpFailsInOpenSslsWords) {
  TlsEngine client(context_, {"api.example", 22, kNow});
  ASSERT_EQ(client.handshake(), Step::want_input);
  client.feed(std::string("SSH-2.0-OpenSSH_9.2\r\n"));
  ASSERT_EQ(client.handshake(), Step::failed);
  EXPECT_THAT(client.failure().detail, HasSubstr("wrong version number"));
}

/// What a peer may repeat without end while hands are shaken, and OpenSSL puts an end to.
TEST_F(TlsEngineTest, NothingThatIsRepeatedKeepsAHandshakeGoing) {
  const auto times = [](const std::string& record, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += record;
    return bytes;
  };
  for (const std::string& record : {std::string("\x14\3\3\0\1\1", 6),  // change_cipher_spec
                                    std::string("\x16\3\3\0\0", 5),  // an empty part of a handshake
                                    std::string("\x15\3\3\0\2\1\x5A", 7),  // a warning
                                    std::string("\x17\3\3\0\1\0", 6)}) {   // content
    TlsEngine client(context_, {"api.example", 443, kNow});
    ASSERT_EQ(client.handshake(), Step::want_input);
    client.feed(times(record, 64));
    EXPECT_EQ(client.handshake(), Step::failed);
  }
}

TEST(TlsContextTest, NoServerChoosesAGroupOfItsOwn) {
  const TlsContext context(TlsOptions{});
  const auto* ciphers = SSL_CTX_get_ciphers(context.get());
  ASSERT_GT(sk_SSL_CIPHER_num(ciphers), 5);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const auto* cipher = sk_SSL_CIPHER_value(ciphers, i);
    EXPECT_NE(SSL_CIPHER_get_kx_nid(cipher), NID_kx_dhe) << SSL_CIPHER_get_name(cipher);
  }
}

/// What openssl.cnf says of TLS, for as long as this lives.
class SystemPolicy {
 public:
  explicit SystemPolicy(const std::string& lines)
      : file_(testing_certificates::text_file("openssl_conf = init\n[init]\nssl_conf = ssl\n"
                                              "[ssl]\nsystem_default = policy\n[policy]\n" +
                                              lines)) {
    EXPECT_EQ(CONF_modules_load_file(file_.c_str(), nullptr, 0), 1);
  }
  ~SystemPolicy() {
    CONF_modules_unload(1);
    std::remove(file_.c_str());
  }
  SystemPolicy(const SystemPolicy&) = delete;
  SystemPolicy& operator=(const SystemPolicy&) = delete;

 private:
  std::string file_;
};

std::vector<std::string> ciphers_below_tls13(const TlsContext& context) {
  std::vector<std::string> names;
  const auto* ciphers = SSL_CTX_get_ciphers(context.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const auto* cipher = sk_SSL_CIPHER_value(ciphers, i);
    if (SSL_CIPHER_get_kx_nid(cipher) != NID_kx_any)
      names.emplace_back(SSL_CIPHER_get_name(cipher));
  }
  return names;
}

TEST(TlsContextTest, TheSystemsPolicyHoldsButForDhe) {
  const SystemPolicy policy(
      "CipherString = DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384@SECLEVEL=3\n"
      "MinProtocol = TLSv1.2\n");
  const TlsContext context(TlsOptions{});
  EXPECT_EQ(context.fault(), std::nullopt);
  EXPECT_THAT(ciphers_below_tls13(context), testing::ElementsAre("ECDHE-RSA-AES256-GCM-SHA384"));
  EXPECT_EQ(SSL_CTX_get_security_level(context.get()), 3);
}

TEST(TlsContextTest, TheSystemMayDemandALaterVersion) {
  const SystemPolicy policy("MinProtocol = TLSv1.3\n");
  EXPECT_EQ(SSL_CTX_get_min_proto_version(TlsContext(TlsOptions{}).get()), TLS1_3_VERSION);
}

TEST(TlsContextTest, APolicyOfDheAloneLeavesTls13) {
  const SystemPolicy policy("CipherString = kDHE\n");
  const TlsContext context(TlsOptions{});
  EXPECT_EQ(context.fault(), std::nullopt);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(context.get()), TLS1_3_VERSION);
}

TEST(TlsContextTest, APolicyThatAllowsDheAloneIsAFault) {
  const SystemPolicy policy("CipherString = kDHE\nCiphersuites =\n");
  const TlsContext context(TlsOptions{});
  ASSERT_TRUE(context.fault());
  EXPECT_THAT(*context.fault(), HasSubstr("DHE"));
}

TEST(TlsContextTest, ACaFileThatCannotBeReadIsAFaultThatNamesIt) {
  const TlsContext context(TlsOptions{.ca_file = "/nowhere/ca.pem"});
  ASSERT_TRUE(context.fault());
  EXPECT_THAT(*context.fault(), HasSubstr("/nowhere/ca.pem"));
}

TEST(CertificateTime, IsKeptWithinWhatWallTimeHolds) {
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_new(),
                                                                   &ASN1_TIME_free);
  ASN1_TIME_set_string(time.get(), "99991231235959Z");  // RFC 5280 section 4.1.2.5: no known end
  const auto wall = wall_time(time.get());
  ASSERT_TRUE(wall);
  EXPECT_GT(*wall, WallTime{std::chrono::sys_days{std::chrono::year{2262} / 1 / 1}});
  ASN1_TIME_set_string(time.get(), "20260314000000Z");
  EXPECT_EQ(wall_time(time.get()), kNow);
  EXPECT_EQ(wall_time(nullptr), std::nullopt);
}

TEST(CertificateTime, OnlyTwoErrorsSpeakOfTimeAlone) {
  EXPECT_TRUE(is_time_error(X509_V_ERR_CERT_HAS_EXPIRED));
  EXPECT_TRUE(is_time_error(X509_V_ERR_CERT_NOT_YET_VALID));
  EXPECT_FALSE(is_time_error(X509_V_OK));
  EXPECT_FALSE(is_time_error(X509_V_ERR_HOSTNAME_MISMATCH));
  EXPECT_FALSE(is_time_error(X509_V_ERR_CRL_HAS_EXPIRED));
}

}  // namespace
}  // namespace skewguard::net
