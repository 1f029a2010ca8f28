#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "skewguard/client.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// NTP servers, and the hosts' Dates over plain HTTP, according to ClientOptions::ntp, on this
/// loop, which runs one function at a time; null if nobody is to be asked. NTP takes precedence
/// over a Date, which is only a hint: anyone on the way may have written it. `clock` and
/// `transport` must outlive it.
std::unique_ptr<Referee> real_referee(const ClientOptions& options, ClockSource& clock,
                                      Transport& transport,
                                      const boost::asio::any_io_executor& executor);

}  // namespace skewguard::runtime
