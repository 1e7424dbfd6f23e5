#include "host/document_follower.hpp"

#include <boost/asio/post.hpp>

namespace corbel {

struct document_follower::state : std::enable_shared_from_this<state> {
  state(gateway_config &c, host_options o, const boost::asio::any_io_executor &e,
        std::function<void(const host_options &)> t)
      : config(&c), options(std::move(o)), executor(e), tell(std::move(t)) {}

  void listen();
  void changed();
  gateway_config::listener later();

  gateway_config *config;  // none once the follower is gone
  host_options options;
  const boost::asio::any_io_executor executor;
  const std::function<void(const host_options &)> tell;
  std::string consuming;  // the component whose capacity counts
  std::uint64_t own_listener = 0, consuming_listener = 0;
};

gateway_config::listener document_follower::state::later() {
  return [weak = weak_from_this(), e = executor](const gateway_change &) {
    boost::asio::post(e, [weak] {
      if (auto self = weak.lock(); self && self->config) self->changed();
    });
  };
}

void document_follower::state::listen() {
  own_listener = config->listen(later());
  consuming = options.settings().capacity_source().second;
  consuming_listener = config->listen(later(), consuming);
}

void document_follower::state::changed() {
  const auto own = config->current();
  if (auto now = own->capacity_source().second; now != consuming) {
    config->unlisten(consuming_listener);
    consuming = std::move(now);
    consuming_listener = config->listen(later(), consuming);
  }
  options.follow(*own, *config->current(consuming));
  tell(options);
}

document_follower::document_follower(gateway_config &config, host_options options,
                                     const boost::asio::any_io_executor &executor,
                                     std::function<void(const host_options &)> tell)
    : state_(std::make_shared<state>(config, std::move(options), executor, std::move(tell))) {
  state_->listen();
}

document_follower::~document_follower() {
  auto *config = std::exchange(state_->config, nullptr);
  config->unlisten(state_->own_listener);
  config->unlisten(state_->consuming_listener);
}

}  // namespace corbel
