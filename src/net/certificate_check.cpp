#include "net/certificate_check.hpp"

#include <openssl/bio.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "clocks/certificate_time.hpp"
#include "http/url.hpp"
#include "time/http_date.hpp"

namespace skewguard::net {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using StoreContext = std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX_free>>;

/// A certificate may contain anything: only visible ASCII goes into a message.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, 256));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, Freed<BIO_free_all>> out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE) < 0) return "?";
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return printable({data, static_cast<std::size_t>(size)});
}

std::string address_text(const ASN1_OCTET_STRING* octets) {
  const auto* bytes = ASN1_STRING_get0_data(octets);
  const int size = ASN1_STRING_length(octets);
  std::string text;
  if (size == 4) {
    for (int i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::to_string(bytes[i]);
  } else {
    static constexpr std::string_view kHex = "0123456789abcdef";
    for (int i = 0; i < size; ++i) {
      if (i > 0 && i % 2 == 0) text += ':';
      text += kHex[bytes[i] >> 4];
      text += kHex[bytes[i] & 15];
    }
  }
  return text;
}

/// The names for which a certificate is valid: "a.example, b.example". Empty if there are none; a
/// common name does not count (RFC 9525 section 2).
std::string names_of(X509* certificate) {
  constexpr std::size_t kMaxNames = 8;
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> alternatives(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (names.size() == kMaxNames) {
      names.emplace_back("...");
      break;
    }
    if (name->type == GEN_DNS) {
      names.push_back(printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5)),
                                 static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5))}));
    } else if (name->type == GEN_IPADD) {
      names.push_back(address_text(name->d.ip));
    }
  }
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string place(const CertificateDemand& demand) {
  return http::endpoint_text(demand.host, demand.port);
}

std::string why_untrusted(int error, X509* certificate, X509* leaf,
                          const CertificateDemand& demand) {
  const std::string whose = "the certificate of " + place(demand);
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return names_of(leaf).empty()
                 ? whose + " names no host: it has no subjectAltName"
                 : whose + " is for " + names_of(leaf) + ", not for " + demand.host;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return whose + " is self-signed, and is not a trusted authority";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return whose + " comes from an authority that is not trusted here: " +
             name_text(X509_get_subject_name(certificate));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return whose +
             " comes from an unknown issuer: " + name_text(X509_get_issuer_name(certificate));
    default:
      return whose + " does not verify: " + X509_verify_cert_error_string(error);
  }
}

TransportFailure untrusted(X509_STORE_CTX* context, X509* leaf, const CertificateDemand& demand) {
  X509* certificate = X509_STORE_CTX_get_current_cert(context);
  TransportFailure failure;
  failure.kind = TransportFailure::Kind::tls_untrusted;
  failure.detail = why_untrusted(X509_STORE_CTX_get_error(context),
                                 certificate != nullptr ? certificate : leaf, leaf, demand);
  return failure;
}

/// The common name of its subject, or all of it.
std::string subject_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return name_text(subject);
  const auto* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                    static_cast<std::size_t>(ASN1_STRING_length(text))});
}

/// `sent`: how many of them, from the first on, came from the server.
std::vector<CertificateLife> lives_of(const STACK_OF(X509) * chain, int sent) {
  using Place = CertificateLife::Place;
  std::vector<CertificateLife> lives;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* one = sk_X509_value(chain, i);
    lives.push_back({.place = i == 0     ? Place::server
                              : i < sent ? Place::intermediate
                                         : Place::trusted,
                     .name = subject_name(one),
                     .not_before = wall_time(X509_get0_notBefore(one)).value_or(WallTime::min()),
                     .not_after = wall_time(X509_get0_notAfter(one)).value_or(WallTime::max())});
  }
  return lives;
}

TransportFailure out_of_time(X509_STORE_CTX* context, const CertificateDemand& demand) {
  TransportFailure failure;
  failure.kind = TransportFailure::Kind::tls_time;
  failure.chain =
      lives_of(X509_STORE_CTX_get0_chain(context), X509_STORE_CTX_get_num_untrusted(context));
  // The whole chain must be valid at one time, whichever certificate failed first.
  for (const auto& one : failure.chain) {
    failure.not_before = std::max(failure.not_before.value_or(one.not_before), one.not_before);
    failure.not_after = std::min(failure.not_after.value_or(one.not_after), one.not_after);
  }
  const auto* bad = clocks::not_valid_at(failure, demand.wall);
  if (bad == nullptr) bad = &failure.chain.front();  // by a part of a second
  const auto text = [](WallTime time) { return time::format_rfc3339(time.time_since_epoch()); };
  failure.detail = clocks::words_for(*bad, place(demand)) +
                   (demand.wall < bad->not_before ? " is not yet valid" : " has expired") +
                   " by the local clock, which reads " + text(demand.wall) + ": it is valid from " +
                   text(bad->not_before) + " to " + text(bad->not_after);
  return failure;
}

void set_time(X509_STORE_CTX* context, WallTime wall) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count();
  X509_STORE_CTX_set_time(context, 0, static_cast<std::time_t>(seconds));
}

/// Repeats the check, ignoring all dates. Null if there is no memory for it.
StoreContext timeless(X509_STORE_CTX* context) {
  StoreContext again(X509_STORE_CTX_new());
  if (!again ||
      X509_STORE_CTX_init(again.get(), X509_STORE_CTX_get0_store(context),
                          X509_STORE_CTX_get0_cert(context),
                          X509_STORE_CTX_get0_untrusted(context)) != 1 ||
      X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(again.get()),
                             X509_STORE_CTX_get0_param(context)) != 1) {
    return nullptr;
  }
  auto* param = X509_STORE_CTX_get0_param(again.get());
  X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_USE_CHECK_TIME);  // it would overrule the other
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
  return again;
}

}  // namespace

std::string about(const X509* certificate) {
  const auto end = wall_time(X509_get0_notAfter(certificate));
  return name_text(X509_get_subject_name(certificate)) + ", issued by " +
         name_text(X509_get_issuer_name(certificate)) + ", valid until " +
         (end ? time::format_rfc3339(end->time_since_epoch()) : std::string("?"));
}

bool is_time_error(int x509_error) noexcept {
  return x509_error == X509_V_ERR_CERT_NOT_YET_VALID || x509_error == X509_V_ERR_CERT_HAS_EXPIRED;
}

std::optional<WallTime> wall_time(const ASN1_TIME* time) {
  using namespace std::chrono;
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const auto day = year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday;
  if (!day.ok()) return std::nullopt;
  const auto second =
      sys_days{day} + hours{parts.tm_hour} + minutes{parts.tm_min} + seconds{parts.tm_sec};
  return WallTime{
      std::clamp(second, ceil<seconds>(WallTime::min()), floor<seconds>(WallTime::max()))};
}

std::optional<TransportFailure> check_certificate(X509_STORE_CTX* context,
                                                  const CertificateDemand& demand) {
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  set_time(context, demand.wall);
  if (X509_verify_cert(context) == 1) return std::nullopt;
  if (!is_time_error(X509_STORE_CTX_get_error(context))) return untrusted(context, leaf, demand);
  const auto again = timeless(context);
  if (again && X509_verify_cert(again.get()) != 1) return untrusted(again.get(), leaf, demand);
  return out_of_time(again ? again.get() : context, demand);
}

}  // namespace skewguard::net
