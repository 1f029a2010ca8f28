#include "system/configured_servers.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>

#include "base/strings.hpp"
#include "system/words.hpp"

namespace skewguard::system {
namespace {

using Words = std::vector<std::string_view>;

constexpr int kMaxDeep = 8;  // files that include files

/// "server NAME port N": the port, if it is not NTP's default.
NtpServer server_of(const Words& words, std::size_t name) {
  NtpServer server{std::string(words[name])};
  for (std::size_t i = name + 1; i + 1 < words.size(); ++i) {
    if (!iequals(words[i], "port")) continue;
    const std::string_view text = words[i + 1];
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error == std::errc{} && end == text.data() + text.size() && port != 0) server.port = port;
  }
  return server;
}

/// The files that match a path with wildcards in its last part.
std::vector<std::string> matching(const Files& files, const std::string& pattern) {
  const auto slash = pattern.rfind('/');
  if (slash == std::string::npos) return {};
  std::vector<std::string> found;
  for (const std::string& name : files.names(pattern.substr(0, slash))) {
    if (::fnmatch(pattern.c_str() + slash + 1, name.c_str(), FNM_PERIOD) == 0)
      found.push_back(pattern.substr(0, slash + 1) + name);
  }
  return found;
}

/// The files with this suffix in several directories, sorted by name; the first directory takes
/// precedence.
std::vector<std::string> layered(const Files& files, const std::vector<std::string>& directories,
                                 std::string_view suffix) {
  std::map<std::string, std::string> by_name;
  for (const std::string& directory : directories) {
    for (const std::string& name : files.names(directory)) {
      if (name.ends_with(suffix)) by_name.emplace(name, directory + "/" + name);
    }
  }
  std::vector<std::string> found;
  found.reserve(by_name.size());
  for (const auto& [name, path] : by_name) found.push_back(path);
  return found;
}

/// Parses "WORD ARGUMENT..." lines, as chrony, ntpd and OpenNTPD use.
class Reader {
 public:
  Reader(const Files& files, TimeServiceKind kind) : files_(files), kind_(kind) {}

  void read(const std::string& path, int depth = 0) {
    if (depth > kMaxDeep) return;
    const std::string text = files_.read(path).value_or("");
    for (std::string_view line : split(text, "\r\n")) {
      line = trim(line);
      // chrony knows four marks of a comment at a line's start; ntpd and OpenNTPD one, anywhere.
      if (kind_ == TimeServiceKind::chrony ? line.find_first_of("!;#%") == 0 : false) continue;
      if (kind_ != TimeServiceKind::chrony) line = line.substr(0, line.find('#'));
      const Words words = split(line, " \t");
      if (words.size() >= 2) take(words, depth);
    }
  }
  [[nodiscard]] std::vector<NtpServer> servers() && { return std::move(servers_); }

 private:
  void take(const Words& words, int depth) {
    const std::string word = to_lower(words[0]);
    if (word == "server" || word == "pool" || word == "peer" || word == "servers") {
      const std::size_t name = words[1] == "-4" || words[1] == "-6" ? 2 : 1;
      // 127.127.x.x is how ntpd names a radio clock.
      if (name < words.size() && !words[name].starts_with("127.127."))
        add_server(servers_, server_of(words, name));
    } else if (word == "include" || word == "includefile") {
      read_all(matching(files_, std::string(words[1])), depth);
    } else if (word == "confdir" || word == "sourcedir") {
      const std::vector<std::string> directories(words.begin() + 1, words.end());
      read_all(layered(files_, directories, word == "confdir" ? ".conf" : ".sources"), depth);
    }
  }
  void read_all(const std::vector<std::string>& paths, int depth) {
    for (const std::string& path : paths) read(path, depth + 1);
  }

  const Files& files_;
  TimeServiceKind kind_;
  std::vector<NtpServer> servers_;
};

/// "NTP=" and "FallbackNTP=" in the section [Time], over all files: lists are appended, an empty
/// one clears them.
class TimesyncdReader {
 public:
  void read(const std::string& text) {
    bool time_section = false;
    for (std::string_view line : split(text, "\r\n")) {
      line = trim(line);
      if (line.starts_with('[')) time_section = line == "[Time]";
      const auto equals = line.find('=');
      if (!time_section || equals == std::string_view::npos || line.find_first_of("#;") == 0)
        continue;
      const std::string_view name = trim(line.substr(0, equals));
      if (name != "NTP" && name != "FallbackNTP") continue;
      auto& list = name == "NTP" ? servers_ : fallback_;
      const Words hosts = split(line.substr(equals + 1), " \t");
      if (hosts.empty()) list.clear();
      for (const std::string_view host : hosts) add_server(list, {std::string(host)});
    }
  }
  [[nodiscard]] std::vector<NtpServer> servers() const {
    return servers_.empty() ? fallback_ : servers_;
  }

 private:
  std::vector<NtpServer> servers_, fallback_;
};

std::vector<NtpServer> timesyncd_servers(const Files& files) {
  const std::vector<std::string> places = {"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd",
                                           "/usr/lib/systemd", "/lib/systemd"};
  TimesyncdReader reader;
  std::vector<std::string> drop_ins;
  drop_ins.reserve(places.size());
  for (const std::string& place : places) drop_ins.push_back(place + "/timesyncd.conf.d");
  for (const std::string& place : places) {
    if (const auto text = files.read(place + "/timesyncd.conf")) {
      reader.read(*text);
      break;
    }
  }
  for (const std::string& path : layered(files, drop_ins, ".conf"))
    reader.read(files.read(path).value_or(""));
  return reader.servers();
}

}  // namespace

std::vector<NtpServer> configured_servers(const Files& files, TimeServiceKind kind) {
  using enum TimeServiceKind;
  if (kind == timesyncd) return timesyncd_servers(files);
  std::vector<std::string> candidates;
  if (kind == chrony) candidates = {"/etc/chrony/chrony.conf", "/etc/chrony.conf"};
  if (kind == ntpd) candidates = {"/etc/ntpsec/ntp.conf", "/etc/ntp.conf"};
  if (kind == openntpd) candidates = {"/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"};
  const auto found =
      std::ranges::find_if(candidates, [&](const auto& path) { return files.there(path); });
  if (found == candidates.end()) return {};
  Reader reader(files, kind);
  reader.read(*found);
  if (kind == ntpd) {  // NTPsec reads these unasked
    for (const std::string& path : layered(files, {"/etc/ntpsec/ntp.d"}, ".conf"))
      reader.read(path);
  }
  return std::move(reader).servers();
}

}  // namespace skewguard::system
