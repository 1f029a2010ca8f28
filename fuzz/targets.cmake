# Every fuzz target: NAME is NAME.cpp here with its seeds in corpus/NAME/. One line each.
# fuzz/CMakeLists.txt runs them with libFuzzer; tests/fuzz_replay runs their corpus as tests.
set(fuzz_targets
  duration http_answer http_date http_request jwt_peek relay_head relay_peers relay_session
  retry_after sntp token_answer url www_authenticate)
set(fuzz_depends_duration time)
set(fuzz_depends_http_answer net)
set(fuzz_depends_http_date time)
set(fuzz_depends_http_request net)
set(fuzz_depends_jwt_peek oauth)
set(fuzz_depends_relay_head relay)
set(fuzz_depends_relay_peers relay)
set(fuzz_libraries_relay_peers Boost::headers http_parser)
set(fuzz_depends_relay_session relay)
set(fuzz_libraries_relay_session skewguard_net skewguard_oauth)
set(fuzz_depends_retry_after http)
set(fuzz_depends_sntp clocks)
set(fuzz_depends_token_answer oauth)
set(fuzz_depends_url http)
set(fuzz_depends_www_authenticate http)
