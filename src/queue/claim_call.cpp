#include "queue/claim_call.hpp"

#include "base/batch.hpp"
#include "queue/claim_plan.hpp"

namespace corbel::detail {

namespace {
constexpr unsigned most_reads = 3;
}

void claim_call::start(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, claim_request request,
                       told_function told) {
  std::make_shared<claim_call>(pool, std::move(protocol), std::move(request), std::move(told))->begin();
}

void claim_call::start_on(redis_lease &lease, std::chrono::milliseconds timeout, const redis_pool &pool,
                          std::shared_ptr<const queue_protocol> protocol, claim_request request, told_function told) {
  std::make_shared<claim_call>(pool, std::move(protocol), std::move(request), std::move(told))->begin_on(lease, timeout);
}

claim_call::claim_call(const redis_pool &pool, std::shared_ptr<const queue_protocol> protocol, claim_request request,
                       told_function told)
    : pool_(pool),
      protocol_(std::move(protocol)),
      request_(std::move(request)),
      told_(std::move(told)),
      claim_(error(status::state, "not answered", "queue")),
      elements_(error(status::state, "not read", "queue")) {}

void claim_call::begin() {
  ++awaited_;
  auto [script, command] = protocol_->claim(request_);
  async_run(pool_, script, std::move(command), {}, [self = shared_from_this()](result<redis_reply> r) {
    self->claim_ = std::move(r);
    self->answered();
  });
  read();
}

void claim_call::begin_on(redis_lease &lease, std::chrono::milliseconds timeout) {
  const bool reads = request_.most > claim_plan::most_armed;
  awaited_ = reads ? 2 : 1;
  lease.async_send(protocol_->claim(request_).command, {.timeout = timeout},
                   [self = shared_from_this()](result<redis_reply> r) {
                     self->claim_ = std::move(r);
                     self->answered();
                   });
  if (!reads) return;
  lease.async_send(*protocol_->read_elements(request_), {.timeout = timeout},
                   [self = shared_from_this()](result<redis_reply> r) {
                     self->elements_ = std::move(r);
                     self->answered();
                   });
}

void claim_call::read() {
  auto command = protocol_->read_elements(request_);
  if (!command) return;
  ++awaited_;
  ++reads_;
  pool_.async_send(std::move(*command), {},
                   boost::asio::bind_executor(pool_.executor(), [self = shared_from_this()](result<redis_reply> r) {
                     self->elements_ = std::move(r);
                     self->answered();
                   }));
}

void claim_call::answered() {
  if (--awaited_ > 0) return;
  batch_scope batch;
  if (!claim_ && claim_.error().native() == "NOSCRIPT") return begin();
  if (!claim_) return told_(claim_.error());
  auto answer = protocol_->read_claim(claim_->root(), elements_ ? *elements_ : redis_reply(), request_);
  if (!answer.unread) return told_(std::move(answer));
  if (reads_ < most_reads) return read();
  // They were taken, but cannot be had: by now others may hold them.
  const auto why = elements_ ? std::string("they are not there any more") : elements_.error().message();
  told_(error(status::lost, "what was claimed could not be read: " + why, "queue", {}, error::maybe_applied));
}

}  // namespace corbel::detail
