#include "cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options.hpp"

namespace skewguard::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CommandLine parsed(const std::vector<std::string>& words) {
  auto line = parse_command_line(words);
  EXPECT_TRUE(line.ok()) << describe(line.error());
  return line.ok() ? *std::move(line) : CommandLine{};
}
std::string refused(const std::vector<std::string>& words) {
  const auto line = parse_command_line(words);
  if (line.ok()) return "it was taken";
  EXPECT_EQ(line.error().kind, ErrorKind::config);
  return describe(line.error());
}

TEST(CommandLine, EverySettingHasItsFlag) {
  const auto line = parsed({"token", "--region",
                            "r",     "--client-id",
                            "i",     "--client-secret-file",
                            "-",     "--login-url",
                            "l",     "--api-url",
                            "a",     "--token-path",
                            "p",     "--token-param",
                            "k=v",   "--token-param",
                            "x=y,z", "--access-token-file",
                            "t",     "--ca-file",
                            "c",     "--timeout",
                            "1",     "--max-wait",
                            "2",     "--attempts",
                            "3",     "--staleness",
                            "4",     "--token-store",
                            "none",  "--config",
                            "f",     "--profile",
                            "n",     "--dialect",
                            "d",     "--client-auth",
                            "post",  "--proxy",
                            "u",     "--no-proxy",
                            "h",     "--client-cert",
                            "cc",    "--client-key",
                            "ck",    "--log-format",
                            "json",  "--insecure-http",
                            "-v",    "-v",
                            "-q"});
  const settings::Flags& flags = line.flags;
  EXPECT_EQ(flags.region, "r");
  EXPECT_EQ(flags.client_id, "i");
  EXPECT_EQ(flags.client_secret_file, "-");
  EXPECT_EQ(flags.login_url, "l");
  EXPECT_EQ(flags.api_url, "a");
  EXPECT_EQ(flags.token_path, "p");
  EXPECT_THAT(flags.token_params, ElementsAre("k=v", "x=y,z"));
  EXPECT_EQ(flags.access_token_file, "t");
  EXPECT_EQ(flags.ca_file, "c");
  EXPECT_EQ(flags.timeout, "1");
  EXPECT_EQ(flags.max_wait, "2");
  EXPECT_EQ(flags.attempts, "3");
  EXPECT_EQ(flags.staleness, "4");
  EXPECT_EQ(flags.token_store, "none");
  EXPECT_EQ(flags.config, "f");
  EXPECT_EQ(flags.profile, "n");
  EXPECT_EQ(flags.dialect, "d");
  EXPECT_EQ(flags.client_auth, "post");
  EXPECT_EQ(flags.log_format, "json");
  EXPECT_EQ(flags.proxy, "u");
  EXPECT_EQ(flags.no_proxy, "h");
  EXPECT_EQ(flags.client_cert, "cc");
  EXPECT_EQ(flags.client_key, "ck");
  EXPECT_TRUE(flags.insecure_http);
  EXPECT_EQ(flags.verbose, 2);
  EXPECT_TRUE(flags.quiet);
}

TEST(CommandLine, OmittedArgumentsAreAbsent) {
  const auto line = parsed({"token"});
  EXPECT_EQ(line.flags.region, std::nullopt);
  EXPECT_EQ(line.flags.verbose, 0);
  EXPECT_EQ(std::get<TokenArguments>(line.arguments).min_life, std::nullopt);
}

TEST(CommandLine, TheLastOfARepeatedSettingCounts) {
  EXPECT_EQ(parsed({"token", "--timeout", "1s", "--timeout", "2s"}).flags.timeout, "2s");
}

TEST(CommandLine, AnEmptyValueIsAValue) {
  EXPECT_EQ(parsed({"token", "--region", ""}).flags.region, "");
}

TEST(CommandLine, RepeatedHeadersDoNotEatTheArguments) {
  const auto line = parsed({"call", "-H", "A: b", "GET", "-H", "C: [d,e]", "/x"});
  const auto& call = std::get<CallArguments>(line.arguments);
  EXPECT_THAT(call.headers, ElementsAre("A: b", "C: [d,e]"));
  EXPECT_EQ(call.method, "GET");
  EXPECT_EQ(call.path, "/x");
}

TEST(CommandLine, ValuesMayLookLikeCommandsOrNegativeNumbers) {
  EXPECT_EQ(std::get<CallArguments>(parsed({"call", "POST", "/x", "-d", "token"}).arguments).data,
            "token");
  EXPECT_EQ(std::get<CallArguments>(parsed({"call", "POST", "/x", "-d", "-1"}).arguments).data,
            "-1");
  const auto line = parsed({"emulate", "--api-offset", "-3s", "--login-offset=-0.5s",
                            "--api-backend", "-1s", "--api-backend", "0"});
  const auto& emulate = std::get<EmulateArguments>(line.arguments);
  EXPECT_EQ(emulate.api_offset, "-3s");
  EXPECT_EQ(emulate.login_offset, "-0.5s");
  EXPECT_THAT(emulate.api_backends, ElementsAre("-1s", "0"));
}

TEST(CommandLine, UnknownWordsLeadToTheNearestKnownOne) {
  EXPECT_THAT(refused({"whomai"}), HasSubstr("unknown command \"whomai\": did you mean whoami?"));
  EXPECT_THAT(refused({"whoami", "--jsn"}),
              HasSubstr("unknown option \"--jsn\" of skewguard whoami: did you mean --json?"));
  EXPECT_THAT(refused({"call", "GET", "/x", "--time-out", "5s"}),
              HasSubstr("did you mean --timeout?"));
  EXPECT_THAT(refused({"help", "tokn"}), HasSubstr("did you mean token?"));
  EXPECT_THAT(refused({"frobnicate"}), HasSubstr("see skewguard --help"));
}

TEST(CommandLine, AnUnknownOptionBeforeAMissingArgumentIsReportedFirst) {
  EXPECT_THAT(refused({"call", "GET", "--jsn"}), HasSubstr("unknown option \"--jsn\""));
}

TEST(CommandLine, TheValueOfAnUnknownOptionIsNotRepeated) {
  EXPECT_THAT(refused({"whoami", "--client-secret=hunter2"}), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refused({"whoami", "--client-secret", "hunter2"}), Not(HasSubstr("hunter2")));
}

TEST(CommandLine, NamesMissingAndExtraArguments) {
  EXPECT_THAT(refused({}), HasSubstr("no command"));
  EXPECT_THAT(refused({"call"}), HasSubstr("METHOD"));
  EXPECT_THAT(refused({"call", "GET"}), HasSubstr("PATH"));
  EXPECT_THAT(refused({"call", "GET", "/x", "/y"}), HasSubstr("unexpected argument \"/y\""));
  EXPECT_THAT(refused({"token", "--timeout"}), HasSubstr("--timeout"));
}

TEST(CommandLine, RefusesASettingThatTheCommandDoesNotUse) {
  EXPECT_THAT(refused({"emulate", "--region", "x"}),
              HasSubstr("--region has no effect on skewguard emulate"));
  EXPECT_THAT(refused({"version", "--timeout", "5s"}), HasSubstr("--timeout has no effect"));
}

HelpArguments help_of(const std::vector<std::string>& words) {
  return std::get<HelpArguments>(parsed(words).arguments);
}

TEST(CommandLine, HelpIsShownWhereverItIsAskedFor) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"call", "--help"}, {"call", "-h"}, {"help", "call"}, {"call", "GET", "--help"}}) {
    EXPECT_EQ(help_of(words).of, HelpArguments::Of::command);
    EXPECT_EQ(help_of(words).name, "call");
  }
  for (const auto& words : std::vector<std::vector<std::string>>{{"--help"}, {"-h"}, {"help"}}) {
    EXPECT_EQ(help_of(words).of, HelpArguments::Of::program);
  }
  EXPECT_TRUE(std::holds_alternative<VersionArguments>(parsed({"--version"}).arguments));
  EXPECT_TRUE(std::holds_alternative<VersionArguments>(parsed({"version"}).arguments));
}

TEST(CommandLine, HelpOfTheEmulatorIsItsGuideAndItsOptionsAreUnderDashDashHelp) {
  EXPECT_EQ(help_of({"help", "emulate"}).of, HelpArguments::Of::topic);
  EXPECT_EQ(help_of({"emulate", "--help"}).of, HelpArguments::Of::command);
}

TEST(CommandLine, OptionsMayPrecedeTheCommand) {
  const auto call = parsed({"--region", "token", "-i", "-H", "A: b", "call", "GET", "/p"});
  EXPECT_EQ(call.flags.region, "token");
  const auto& arguments = std::get<CallArguments>(call.arguments);
  EXPECT_TRUE(arguments.include);
  EXPECT_THAT(arguments.headers, ElementsAre("A: b"));
  EXPECT_EQ(arguments.path, "/p");
  EXPECT_TRUE(std::get<WhoamiArguments>(parsed({"--json", "whoami"}).arguments).json);
  EXPECT_THAT(refused({"--jsn", "whoami"}), HasSubstr("did you mean --json?"));
  EXPECT_THAT(refused({"--region"}), HasSubstr("--region"));
}

TEST(CommandLine, SuggestsOurOptionForThoseOfOtherPrograms) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"whoami", "--client-secret", "hunter2"}, {"--client-secret=hunter2", "whoami"}}) {
    const std::string said = refused(words);
    EXPECT_THAT(said, HasSubstr("--client-secret-file FILE"));
    EXPECT_THAT(said, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(refused({"whoami", "--access-token", "x"}), HasSubstr("--access-token-file FILE"));
  EXPECT_THAT(refused({"call", "-X", "POST", "/x"}), HasSubstr("skewguard call POST /"));
}

}  // namespace
}  // namespace skewguard::cli
