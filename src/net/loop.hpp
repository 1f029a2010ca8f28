#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

namespace skewguard::net {

/// The executor of the sockets, which runs one function at a time: an io_context with one thread,
/// or a strand. The io_context must outlive its users.
struct Loop {
  Loop(boost::asio::io_context& context)  // NOLINT(google-explicit-constructor): it is one
      : executor(context.get_executor()) {}
  Loop(boost::asio::any_io_executor strand)  // NOLINT(google-explicit-constructor)
      : executor(std::move(strand)) {}

  boost::asio::any_io_executor executor;
};

}  // namespace skewguard::net
