#pragma once
/// Keeps a host in step with the gateway document while it runs.

#include "host/options.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>

namespace corbel {

/// Threads: made and destroyed on the executor's.
class document_follower {
 public:
  /// Calls tell on the executor, after each change of the document, with the options as they would be had the host been
  /// started with it: host_options::follow says which of them change. config outlives this.
  document_follower(gateway_config &config, host_options options, const boost::asio::any_io_executor &executor,
                    std::function<void(const host_options &)> tell);
  ~document_follower();
  document_follower(const document_follower &) = delete;
  document_follower &operator=(const document_follower &) = delete;

 private:
  struct state;
  const std::shared_ptr<state> state_;
};

}  // namespace corbel
