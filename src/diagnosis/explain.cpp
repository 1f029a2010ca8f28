#include "diagnosis/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/strings.hpp"
#include "diagnosis/call_error.hpp"
#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "oauth/certificate_failure.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

namespace skewguard::diagnosis {
namespace {

using time::human;

/// "12:00:05 UTC", or "2026-01-01T12:00:05Z" if they are not on the same day: one form for all the
/// times in a sentence.
std::vector<std::string> clock_texts(std::initializer_list<ServerTime> times) {
  std::vector<std::string> texts;
  for (const ServerTime& time : times) texts.push_back(time::format_rfc3339(time.since_epoch()));
  const auto day = [](const std::string& text) { return text.substr(0, text.find('T')); };
  if (std::ranges::adjacent_find(texts, std::ranges::not_equal_to{}, day) != texts.end())
    return texts;
  for (std::string& text : texts) text = text.substr(text.find('T') + 1, 8) + " UTC";
  return texts;
}

/// "4.0 to 5.1 s"; with both units if they differ, a single number if both ends read alike.
std::string span_text(Duration low, Duration high) {
  std::string from = human(low);
  const std::string to = human(high);
  if (from == to) return from;
  const auto unit = [](const std::string& text) { return text.substr(text.find(' ') + 1); };
  const bool alike = unit(from) == unit(to) && std::count(from.begin(), from.end(), ' ') == 1;
  return fmt::format("{} to {}", alike ? from.substr(0, from.find(' ')) : from, to);
}

/// The API's clock compared with the login host's, if the interval excludes that they agree.
std::string lag_text(const Evidence& evidence) {
  const auto& bound = evidence.login_minus_api;
  if (bound && bound->low > Duration{0}) {
    return fmt::format("the API's clock was {} behind the login host's: ",
                       span_text(bound->low, bound->high));
  }
  if (bound && bound->high < Duration{0}) {
    return fmt::format("the API's clock was {} ahead of the login host's: ",
                       span_text(-bound->high, -bound->low));
  }
  return {};
}

std::string begin_text(const Trial& trial) {
  const auto texts = clock_texts({*pending_begin(trial), *trial.date});
  return fmt::format("the token was not valid before {} and the API answered at {}", texts[0],
                     texts[1]);
}

std::string end_text(const Trial& trial) {
  const auto texts = clock_texts({*trial.token.ends, *trial.date});
  return fmt::format("the token expired at {} and the API answered at {}", texts[0], texts[1]);
}

std::string agree_text(const Trial& trial) {
  if (!trial.token.begins || !trial.token.ends) return "no clock explains it";
  const auto texts = clock_texts({*trial.token.begins, *trial.token.ends, *trial.date});
  return fmt::format(
      "no clock explains it (the token is valid from {} to {}, and the API answered at {})",
      texts[0], texts[1], texts[2]);
}

std::string undecided_text(const Evidence& evidence, const Trial& trial) {
  if (!trial.date) return "its answer has no usable Date, so no clocks could be compared";
  if (begin_belied(evidence, trial)) {
    return "it has accepted tokens that were not valid yet by its Date, so that Date proves "
           "nothing";
  }
  if (!dates_count(evidence)) {
    return "the Date of its answers does not come from the clock by which it judges tokens, so it "
           "proves nothing";
  }
  if (trial.token.begins && !issuer_dates_count(evidence)) {
    return "the token says nothing about its own times, and the Dates of the two hosts cannot both "
           "come from working clocks, so they prove nothing";
  }
  return "the token's own times are unknown, so no clocks could be compared";
}

/// How the token's times relate to the refusing answer.
std::string standing_text(const Evidence& evidence, const Trial& trial) {
  switch (standing(evidence, trial)) {
    case Standing::not_begun:
    case Standing::perhaps_not_begun:
      return lag_text(evidence) + begin_text(trial);
    case Standing::ended:
      if (trial.date && trial.token.ends && dates_count(evidence) &&
          (issuer_dates_count(evidence) || !trial.token.end_dated) &&
          trial.date->since(*trial.token.ends) >= Duration{0})
        return lag_text(evidence) + end_text(trial);
      return fmt::format("our own deadline for the token had passed {} before the answer",
                         human(trial.received - trial.token.dead_at.value_or(trial.received)));
    case Standing::agrees:
      return agree_text(trial);
    case Standing::undecided:
      break;
  }
  return undecided_text(evidence, trial);
}

std::string followed_text(const Trial& trial) {
  switch (trial.followed) {
    case Action::wait_and_retry:
      return fmt::format("; waited {} and sent the same token again", human(trial.waited));
    case Action::refresh_and_retry:
      if (trial.waited > Duration{0}) {
        return fmt::format("; waited {}, requested a new token and sent the request again",
                           human(trial.waited));
      }
      return "; requested a new token and sent the request again";
    case Action::none:
    case Action::give_up:
      break;
  }
  return {};
}

std::string beyond_timeout(Duration needed, Duration left) {
  if (needed <= Duration{0}) return "; --timeout left no time for another try";
  return fmt::format("; waiting for it would have taken {}longer than the {} that --timeout leaves",
                     needed > left ? human(needed) + ", " : "", human(std::max(left, Duration{0})));
}

std::string hindrance_text(const Evidence& evidence, const Trial& trial) {
  const auto by = begins_by(evidence, trial);
  const Duration needed = by ? *by - trial.received : Duration{0};
  switch (trial.hindrance) {
    case Hindrance::max_wait:
      return fmt::format(
          "; waiting for it would have taken {}, more than the {} that --max-wait allows",
          human(needed), human(evidence.limits.max_wait));
    case Hindrance::deadline:
      return beyond_timeout(needed, evidence.limits.deadline - trial.received);
    case Hindrance::attempts:
      return evidence.limits.attempts > 1
                 ? fmt::format(
                       "; that was the last of the {} refused tokens that --attempts allows",
                       evidence.limits.attempts)
                 : std::string{"; --attempts allows no other token"};
    case Hindrance::sends:
      return "; it had already been sent as often as one token may be";
    case Hindrance::too_often:
      return fmt::format(
          "; tokens were refused just before, so the next one may be requested in {}",
          human(std::max(evidence.next_request_in.value_or(Duration{0}), Duration{0})));
    case Hindrance::not_replayable:
      return "; the request could not be sent again";
    case Hindrance::nothing_new:
    case Hindrance::none:
      break;
  }
  return {};
}

constexpr std::string_view kMendClocks =
    " Synchronize the clocks of the login host and the API host with NTP, or ask their operators "
    "to.";

/// " By the local wall clock it has 4 min left: that clock is 599.0 to 601.2 s behind ..."
std::string local_clock_text(const Evidence& evidence, const Trial& trial) {
  if (!local_clock_differs(evidence, trial)) return {};
  const Duration wall = trial.wall.time_since_epoch();
  const auto& begins = trial.token.begins;
  const auto& ends = trial.token.ends;
  std::string judged = "is valid";
  if (begins && wall < begins->since_epoch()) {
    judged = "is not valid yet";
  } else if (ends) {
    const Duration left = ends->since_epoch() - wall;
    judged =
        left > Duration{0} ? "has " + human(left) + " left" : "expired " + human(-left) + " ago";
  }
  const OffsetBound bound = *trial.api_minus_wall;
  const bool behind = bound.low > Duration{0};
  return fmt::format(
      " By the local wall clock it {}, but that clock is {} {} the API's. Run `skewguard doctor` "
      "to find out which of the two is wrong.",
      judged, behind ? span_text(bound.low, bound.high) : span_text(-bound.high, -bound.low),
      behind ? "behind" : "ahead of");
}

std::string ahead_text(const Evidence& evidence, const Settled& settled) {
  const Trial& trial = evidence.trials[settled.trial];
  std::string text = capitalized(standing_text(evidence, trial));
  if (standing(evidence, trial) == Standing::perhaps_not_begun) {
    text += ", so the login host's clock was ahead of the API's, or its Date is late";
  } else if (!evidence.login_minus_api || evidence.login_minus_api->low <= Duration{0}) {
    text += ", so the login host's clock was ahead of the API's";
  }
  text += hindrance_text(evidence, trial) + followed_text(trial) + ".";
  const std::string local = local_clock_text(evidence, trial);
  if (trial.followed == Action::give_up && local.empty()) {
    text += kMendClocks;
    if (trial.hindrance == Hindrance::max_wait) text += " Or raise --max-wait and --timeout.";
  }
  return text + local;
}

std::string behind_text(const Evidence& evidence, const Trial& trial) {
  std::string text = capitalized(standing_text(evidence, trial));
  text += fmt::format(
      ", {} after it was requested: two tokens in a row were new and yet expired by the API's "
      "clock, so the login host's clock was behind the API's by more than a token's lifetime.",
      human(trial.received - trial.token.asked));
  return text.append(kMendClocks);
}

std::string not_active_text(const Evidence& evidence, const Trial& trial) {
  if (standing(evidence, trial) == Standing::agrees) {
    return fmt::format(
        "A new token was refused, then accepted unchanged, and {}: the platform had not propagated "
        "it yet{}.",
        agree_text(trial), followed_text(trial));
  }
  return fmt::format(
      "A new token was refused, then accepted unchanged: it was not active yet. {}{}.",
      capitalized(undecided_text(evidence, trial)), followed_text(trial));
}

std::string revoked_text(const Evidence& evidence, const Trial& trial) {
  const bool agrees = standing(evidence, trial) == Standing::agrees;
  return fmt::format(
      "The token was refused within its lifetime, and a new one was accepted: it had been revoked "
      "or "
      "evicted. {}{}{}.",
      capitalized(standing_text(evidence, trial)), agrees ? "" : ", and waiting did not help",
      followed_text(trial));
}

std::string contended_text(const Evidence& evidence, const Settled& settled) {
  const Trial& trial = evidence.trials[settled.trial];
  std::string text = fmt::format(
      "Two tokens in a row were accepted, then refused early in their lifetimes, this one {} after "
      "it was requested, and {}: someone else may be using this client, so that each new token "
      "ends the previous one (or the platform ends idle tokens)",
      human(trial.received - trial.token.asked), agree_text(trial));
  if (trial.followed == Action::refresh_and_retry) {
    text += fmt::format("; backed off {}, requested a new token and sent the request again",
                        human(trial.waited));
  }
  return text + hindrance_text(evidence, trial) + ". Give each program its own client.";
}

/// Something on the way removes the token from the request.
constexpr std::string_view kStripped =
    " The API says that no token arrived: a proxy or gateway on the way may be removing the "
    "Authorization header. Ask its operator, or set the API URL to the API itself.";

std::string rejected_text(const Evidence& evidence, const Settled& settled,
                          const Parties& parties) {
  const Trial& trial = evidence.trials[settled.trial];
  const std::string_view where =
      parties.region.empty() ? std::string_view{"this API"} : parties.region;
  if (trial.token.given) {
    return fmt::format(
        "The API refuses the given token: {}. Get a new token, and make sure that it is "
        "for {}.{}",
        standing_text(evidence, trial), where, local_clock_text(evidence, trial));
  }
  const std::string text = fmt::format("The API refuses a new token too: {}{}.",
                                       standing_text(evidence, trial), followed_text(trial));
  if (trial.said.no_token_seen) return text + std::string(kStripped);
  const std::string hosts =
      parties.login.empty() || parties.login == parties.api
          ? std::string{}
          : fmt::format(" The token is from {}, the API is {}: both must be in the same region.",
                        parties.login, parties.api);
  return text + hosts +
         fmt::format(" Check that the client is enabled, has roles, and belongs to {}.", where);
}

std::string gateway_text(std::string_view who, std::string_view what) {
  return fmt::format(
      "{}: something in front of the API seems to have refused the request{}, and another token "
      "would not change that. Ask its operator to let this program through, or check the API URL.",
      what, who.empty() ? std::string{} : fmt::format(" ({})", who));
}

/// " The API's words: \"...\"", with exactly one period at the end: the API's or ours.
std::string words_text(const Trial& trial) {
  const std::string& words = trial.said.words;
  if (words.empty()) return {};
  const bool ended = std::string_view(".!?").find(words.back()) != std::string_view::npos;
  return fmt::format(" The API's words: \"{}\"{}", words, ended ? "" : ".");
}

std::string expired_text(const Evidence& evidence, const Settled& settled) {
  const Trial& trial = evidence.trials[settled.trial];
  std::string text = capitalized(standing_text(evidence, trial)) + followed_text(trial) +
                     hindrance_text(evidence, trial) + ".";
  if (trial.token.given) {
    return text + " A given token cannot be refreshed: get a new one." +
           local_clock_text(evidence, trial);
  }
  if (trial.followed == Action::give_up) text += " Try again: a new token will be requested.";
  return text;
}

std::string unknown_text(const Evidence& evidence, const Settled& settled) {
  const Trial& trial = evidence.trials[settled.trial];
  std::string text = fmt::format(
      "The API refused the token, and the evidence does not show why: "
      "{}{}{}.",
      standing_text(evidence, trial), followed_text(trial), hindrance_text(evidence, trial));
  if (trial.followed == Action::give_up)
    text += " Check the client and its roles, and compare the clocks of both hosts.";
  return text;
}

std::string own_words(const oauth::Refusal& refusal) {
  if (!refusal.description.empty()) return fmt::format(" (\"{}\")", refusal.description);
  if (!refusal.error_code.empty()) return fmt::format(" ({})", refusal.error_code);
  return {};
}

/// What a person can do about a missing answer.
std::string remedy_of(const TransportFailure& failure, Verdict verdict) {
  using Kind = TransportFailure::Kind;
  if (failure.out_of_resources) return kCheckLimits;
  if (failure.kind == Kind::proxy || failure.kind == Kind::proxy_refused)
    return "check the proxy (--proxy, HTTPS_PROXY)";
  if (failure.kind == Kind::bad_request) return "nothing was sent; correct it";
  if (failure.kind == Kind::tls_failed) {
    return "check the URL, and the client certificate if the server requests one (--client-cert, "
           "--client-key)";
  }
  switch (verdict) {
    case Verdict::tls_untrusted:
      return "check the CA bundle and the host name";
    case Verdict::timeout:
      return "try again, or raise --timeout";
    case Verdict::protocol:
      return "check the URL, and that nothing on the way changes answers";
    default:
      return "check the network and the URL";
  }
}

}  // namespace

std::string explain_provisional(const Evidence& evidence, const Assessment& assessment) {
  const Trial& trial = evidence.trials.back();
  const std::string text =
      fmt::format("Provisional: the API refused the token{}; {}",
                  trial.said.words.empty() ? "" : fmt::format(" (\"{}\")", trial.said.words),
                  standing_text(evidence, trial));
  const Duration wait = std::max(assessment.until - evidence.now, Duration{0});
  switch (assessment.next) {
    case Next::wait:
      return text + fmt::format("; waiting {} to send the same token again.", human(wait));
    case Next::renew:
      return text + "; requesting a new token.";
    case Next::back_off:
      return text + fmt::format("; backing off {}, then requesting a new token.", human(wait));
    case Next::look:
      return text + fmt::format("; checking the API's Date again in {}.", human(wait));
    case Next::give_up:
      break;
  }
  Trial given_up = trial;
  given_up.hindrance = assessment.hindrance;
  return text + hindrance_text(evidence, given_up) + ".";
}

namespace {

std::string settled_text(const Evidence& evidence, const Settled& settled, const Parties& parties) {
  const Trial& trial = evidence.trials[settled.trial];
  switch (settled.verdict) {
    case Verdict::issuer_clock_ahead:
      return ahead_text(evidence, settled);
    case Verdict::issuer_clock_behind:
      return behind_text(evidence, trial);
    case Verdict::token_not_yet_active:
      return not_active_text(evidence, trial);
    case Verdict::token_expired:
      return expired_text(evidence, settled);
    case Verdict::token_revoked:
      return revoked_text(evidence, trial);
    case Verdict::token_contended:
      return contended_text(evidence, settled);
    case Verdict::token_rejected:
      return rejected_text(evidence, settled, parties);
    case Verdict::gateway_refused:
      return gateway_text(trial.said.gateway,
                          "The API host refused a new token too, each time with its own page");
    default:
      return unknown_text(evidence, settled);
  }
}

}  // namespace

std::string explain_settled(const Evidence& evidence, const Settled& settled,
                            const Parties& parties) {
  return settled_text(evidence, settled, parties) + words_text(evidence.trials[settled.trial]);
}

std::string explain_gateway(const oauth::Refusal& refusal, int status) {
  return gateway_text(refusal.gateway,
                      fmt::format("The API host answered {}{}", status, own_words(refusal)));
}

std::string explain_missing_permission(const oauth::Refusal& refusal) {
  if (refusal.permissions.empty()) {
    return fmt::format(
        "The token is good but may not do this{}. Ask an administrator to grant the permission to "
        "the client's role.",
        own_words(refusal));
  }
  if (refusal.error_code == "insufficient_scope") {  // RFC 6750 section 3.1
    return fmt::format(
        "The token is good but may not do this: the scope {} is missing{}. Allow that scope for "
        "the client, and request it.",
        fmt::join(refusal.permissions, " "), own_words(refusal));
  }
  return fmt::format(
      "The token is good but may not do this: the permission {} is missing{}. Ask an administrator "
      "to add it to the client's role.",
      fmt::join(refusal.permissions, ", "), own_words(refusal));
}

std::string explain_no_user_context(const oauth::Refusal& refusal) {
  return fmt::format(
      "A client-credentials token has no user, so there is no users/me{}. Use /api/v2/tokens/me or "
      "/api/v2/organizations/me instead.",
      own_words(refusal));
}

std::string explain_rate_limit(const oauth::Refusal& refusal, const LimitWait& limit) {
  const bool at_once = limit.asked == Duration{0};
  const std::string request = at_once       ? " and says to try again at once"
                              : limit.asked ? " and asks to wait " + human(*limit.asked)
                                            : " without saying how long to wait";
  const std::string text =
      fmt::format("The API limits the rate of requests{}{}", own_words(refusal), request);
  if (limit.wait < limit.left) {
    return text + (at_once       ? "; the request is sent again."
                   : limit.asked ? "; the request is sent again after that."
                                 : fmt::format("; the request is sent again after a pause of {}.",
                                               human(limit.wait)));
  }
  const std::string left = human(std::max(limit.left, Duration{0}));
  if (limit.asked) {
    return text + fmt::format(
                      ", longer than the {} that --timeout leaves. Try again after that, "
                      "or spread the requests.",
                      left);
  }
  return text + fmt::format(
                    "; the next pause, {}, is longer than the {} that --timeout leaves. "
                    "Try again later, or spread the requests.",
                    human(limit.wait), left);
}

std::string explain_auth_backend(const oauth::Refusal& refusal, bool retried) {
  return fmt::format("The API's own check of the token timed out{}: the token is not to blame{}",
                     own_words(refusal),
                     retried ? "; the request is sent again after a pause."
                             : ", and --timeout leaves no time for another try. Try again later.");
}

std::string explain_redirect(const oauth::Refusal& refusal, int status) {
  return fmt::format(
      "The API answered with {}, a redirect to {}: redirects are not followed with a token. Set "
      "the API URL to the API's real address.",
      status, refusal.description.empty() ? "nowhere" : refusal.description);
}

std::string explain_unusable(const oauth::Refusal& refusal, int status) {
  return fmt::format("The API answered with {}{}, which is unusable. Check the API URL.", status,
                     own_words(refusal));
}

std::string explain_api_error(const oauth::Refusal& refusal, int status, bool retried) {
  return fmt::format("The API answered with {}{}; this error is not about the token{}.", status,
                     own_words(refusal),
                     retried ? "; the request is sent again after a pause" : "");
}

std::string ExplainedFailure::text() const {
  return remedy.empty() ? what : what + " " + as_sentence(remedy);
}

ExplainedFailure explain_failure(const TransportFailure& failure, const std::string& host,
                                 WallTime local, bool retried) {
  using Kind = TransportFailure::Kind;
  if (failure.kind == Kind::tls_time) {
    auto why = oauth::why_out_of_time(failure, host, local);
    return {why.text + ".", std::move(why.remedy)};
  }
  const std::string what = failure.detail.empty()
                               ? "no answer: " + std::string(to_string(failure.kind))
                               : failure.detail;
  if (retried) return {what + "; the request is sent again after a pause.", ""};
  return {what + ".", remedy_of(failure, verdict_of(failure, local))};
}

}  // namespace skewguard::diagnosis
