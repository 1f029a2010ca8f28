#pragma once

#include <string>
#include <vector>

#include "heads.hpp"

namespace skewguard::relay::testing {

using enum HeadFault;

struct Hostile {
  const char* name;
  std::string bytes;
  HeadFault fault;
};

/// Heads that two readers could understand differently, or that are no heads.
inline const std::vector<Hostile> kHostileHeads = {
    {"TLS", std::string("\x16\x03\x01\x02\x00\x01", 6), not_http},
    {"http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", unsupported_version},
    {"two empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", not_http},
    {"empty line of LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", bare_line_feed},
    {"space first", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", not_http},
    {"CR first", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", bare_carriage_return},
    {"LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", bare_line_feed},
    {"LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", bare_line_feed},
    {"LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", bare_line_feed},
    {"CR in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n", bare_carriage_return},
    {"CR alone", "GET / HTTP/1.1\rHost: a\r\r", bare_carriage_return},
    {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\r\n\r\n", bare_carriage_return},
    {"NUL in a field", request_with(std::string("X: a\0b\r\n", 8)), control_character},
    {"DEL in a field", request_with("X: a\x7f\r\n"), control_character},
    {"control in a long field", request_with("X: 0123456789abc\x01xyz\r\n"), control_character},
    {"HTTP/0.9", "GET /\r\n\r\n", bad_request_line},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", bad_request_line},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", bad_request_line},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", bad_request_line},
    {"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", bad_request_line},
    {"tab for a space", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", bad_request_line},
    {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", bad_request_line},
    {"two-digit version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", bad_request_line},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", unsupported_version},
    {"HTTP/3.0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", unsupported_version},
    {"method with a colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n", bad_request_line},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", connect_method},
    {"CONNECT of a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", connect_method},
    {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", not_origin_form},
    {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", not_origin_form},
    {"fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
    {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), bad_target},
    {"obs-text in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", bad_target},
    {"folded with a space", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", folded_field},
    {"folded with a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n", folded_field},
    {"folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", folded_field},
    {"space before the colon", request_with("X : 1\r\n"), bad_field_name},
    {"tab before the colon", request_with("Transfer-Encoding\t: chunked\r\n"), bad_field_name},
    {"no colon", request_with("X\r\n"), bad_field_name},
    {"no name", request_with(": 1\r\n"), bad_field_name},
    {"name with a slash", request_with("X/Y: 1\r\n"), bad_field_name},
    {"name with obs-text", request_with("X\xe4: 1\r\n"), bad_field_name},
    {"name with a NUL", request_with(std::string("X\0: 1\r\n", 7)), bad_field_name},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", host_missing},
    {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", host_missing},
    {"two Hosts", request_with("Host: b\r\n"), host_repeated},
    {"two equal Hosts", request_with("host: api\r\n"), host_repeated},
    {"two Authorizations", request_with("Authorization: a\r\nauthorization: a\r\n"),
     authorization_repeated},
    {"option with a space", request_with("Connection: close x\r\n"), bad_connection_option},
    {"option with a colon", request_with("Connection: x, Host: y\r\n"), bad_connection_option},
    {"signed length", request_with("Content-Length: +1\r\n"), bad_content_length},
    {"negative length", request_with("Content-Length: -1\r\n"), bad_content_length},
    {"hexadecimal length", request_with("Content-Length: 0x1\r\n"), bad_content_length},
    {"empty length", request_with("Content-Length:\r\n"), bad_content_length},
    {"list of lengths", request_with("Content-Length: 1, 1\r\n"), bad_content_length},
    {"two words of length", request_with("Content-Length: 1 1\r\n"), bad_content_length},
    {"fraction of a length", request_with("Content-Length: 1.0\r\n"), bad_content_length},
    {"length beyond 64 bits", request_with("Content-Length: 18446744073709551617\r\n"),
     bad_content_length},
    {"length beyond signed 64 bits", request_with("Content-Length: 9223372036854775808\r\n"),
     bad_content_length},
    {"length and a tab", request_with("Content-Length: 1\t\r\n"), bad_content_length},
    {"equal lengths", request_with("Content-Length: 1\r\nContent-Length: 1\r\n"),
     content_length_repeated},
    {"two lengths", request_with("Content-Length: 1\r\ncontent-length: 2\r\n"),
     content_length_repeated},
    {"length, then coding", request_with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
     length_and_coding},
    {"coding, then length", request_with("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
     length_and_coding},
    {"length with an underscore", request_with("Content_Length: 1\r\n"), disguised_framing},
    {"coding with an underscore", request_with("transfer_ENCODING: chunked\r\n"),
     disguised_framing},
    {"unknown coding", request_with("Transfer-Encoding: xchunked\r\n"), bad_transfer_coding},
    {"two codings", request_with("Transfer-Encoding: gzip, chunked\r\n"), bad_transfer_coding},
    {"chunked, identity", request_with("Transfer-Encoding: chunked, identity\r\n"),
     bad_transfer_coding},
    {"chunked twice", request_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     bad_transfer_coding},
    {"quoted coding", request_with("Transfer-Encoding: \"chunked\"\r\n"), bad_transfer_coding},
    {"coding with a parameter", request_with("Transfer-Encoding: chunked;q=1\r\n"),
     bad_transfer_coding},
    {"coding with a vertical tab", request_with("Transfer-Encoding: \vchunked\r\n"),
     control_character},
    {"coding and a tab", request_with("Transfer-Encoding: chunked\t\r\n"), bad_transfer_coding},
    {"empty coding", request_with("Transfer-Encoding:\r\n"), bad_transfer_coding},
    {"coding with a comma", request_with("Transfer-Encoding: chunked,\r\n"), bad_transfer_coding},
    {"coding in HTTP/1.0", request_with("Transfer-Encoding: chunked\r\n", "POST /x HTTP/1.0"),
     coding_in_http_1_0},
};

}  // namespace skewguard::relay::testing
