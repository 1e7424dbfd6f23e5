#include "postgres/dialer.hpp"

#include "postgres/server_error.hpp"

#include <fmt/format.h>

#include <charconv>

namespace corbel::detail {

void pg_dialer::start(callback done) {
  done_ = std::move(done);
  deadline_ = clock::now() + settings_->options.connect_timeout;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (ec || !self->done_ || self->plan_) return;
    self->end(error(status::unavailable,
                    fmt::format("cannot connect to {}: its name was not resolved within {} ms", self->settings_->shown,
                                self->settings_->options.connect_timeout.count()),
                    "dns", "ETIMEDOUT", error::retriable));
  });
  const auto &hosts = settings_->hosts;
  found_.resize(hosts.size());
  unresolved_ = hosts.size() + 1;
  for (std::size_t i = 0; i < hosts.size() && done_; ++i) {
    const auto &h = hosts[i];
    if (!h.address.empty() || h.host.empty() || h.host[0] == '/' || h.host[0] == '@') {
      found_[i].push_back({h.host, h.address, h.port});
      --unresolved_;
      continue;
    }
    std::uint16_t port = 0;
    std::from_chars(h.port.data(), h.port.data() + h.port.size(), port);
    auto r = resolution::start(loop_, h.host, port, [weak = weak_from_this(), i](result<resolution::addresses> found) {
      if (auto self = weak.lock()) self->resolved(i, std::move(found));
    });
    if (r) resolving_.push_back(std::move(r));
  }
  if (--unresolved_ == 0) begin();
}

void pg_dialer::resolved(std::size_t host, result<resolution::addresses> found) {
  if (!done_) return;
  const auto &h = settings_->hosts[host];
  if (!found) resolve_error_ = found.error();
  if (found)
    for (auto &e : *found) found_[host].push_back({h.host, e.address().to_string(), h.port});
  if (--unresolved_ == 0) begin();
}

void pg_dialer::begin() {
  std::vector<connect_candidate> all;
  for (auto &of_host : found_) all.insert(all.end(), of_host.begin(), of_host.end());
  if (all.empty()) return end(resolve_error_);
  plan_.emplace(std::move(all), settings_->target, deadline_);
  next();
}

void pg_dialer::next() {
  if (!plan_->next(clock::now(), attempt_)) {
    auto why = plan_->why();
    if (!why)
      why = error(
          status::unavailable,
          fmt::format("cannot connect to {} within {} ms", settings_->shown, settings_->options.connect_timeout.count()),
          "postgres", "ETIMEDOUT", error::retriable);
    return end(why);
  }
  std::vector<const char *> keys, values;
  auto add = [&](const char *key, const std::string &value) {
    if (value.empty()) return;
    keys.push_back(key);
    values.push_back(value.c_str());
  };
  const std::string target = attempt_.target;
  for (auto &[key, value] : settings_->parameters) add(key.c_str(), value);
  add("host", attempt_.to->host);
  add("hostaddr", attempt_.to->address);
  add("port", attempt_.to->port);
  add("target_session_attrs", target);
  keys.push_back(nullptr);
  values.push_back(nullptr);
  conn_.reset(::PQconnectStartParams(keys.data(), values.data(), 0));
  if (!conn_) return end(error::out_of_memory());
  if (::PQstatus(conn_.get()) == CONNECTION_BAD) return failed(connect_error(::PQerrorMessage(conn_.get()), shown()));
  // Without the SQLSTATE in the text a failed connect would have none: it has no result to ask.
  ::PQsetErrorVerbosity(conn_.get(), PQERRORS_VERBOSE);
  ::PQsetNoticeProcessor(
      conn_.get(), [](void *, const char *) {}, nullptr);
  timer_.expires_at(attempt_.deadline);
  timer_.async_wait([self = shared_from_this(), which = conn_.get()](boost::system::error_code ec) {
    if (ec || self->conn_.get() != which) return;
    self->failed(error(status::unavailable, fmt::format("{} did not answer in time", self->shown()), "postgres", "ETIMEDOUT",
                       error::retriable));
  });
  if (!watch_.watch(::PQsocket(conn_.get()))) return failed(connect_error(::PQerrorMessage(conn_.get()), shown()));
  watch_.async_writable([self = shared_from_this(), which = conn_.get()](boost::system::error_code ec) {
    if (!ec && self->conn_.get() == which) self->step();
  });
}

void pg_dialer::step() {
  // libpq may close the socket and open another one within a step, even with the same number.
  watch_.release();
  const auto outcome = ::PQconnectPoll(conn_.get());
  if (outcome == PGRES_POLLING_FAILED) return failed(connect_error(::PQerrorMessage(conn_.get()), shown()));
  if (outcome == PGRES_POLLING_OK) {
    ::PQsetErrorVerbosity(conn_.get(), PQERRORS_DEFAULT);
    return end(std::move(conn_));
  }
  if (!watch_.watch(::PQsocket(conn_.get()))) return failed(connect_error(::PQerrorMessage(conn_.get()), shown()));
  auto again = [self = shared_from_this(), which = conn_.get()](boost::system::error_code ec) {
    if (!ec && self->conn_.get() == which) self->step();
  };
  if (outcome == PGRES_POLLING_READING)
    watch_.async_readable(std::move(again));
  else
    watch_.async_writable(std::move(again));
}

void pg_dialer::failed(error why) {
  timer_.cancel();
  watch_.release();
  conn_.reset();
  plan_->failed(std::move(why));
  next();
}

std::string pg_dialer::shown() const {
  const auto &c = *attempt_.to;
  const auto &database = parameter(settings_->parameters, "dbname");
  return fmt::format("{}:{}/{}",
                     !c.host.empty()      ? c.host
                     : !c.address.empty() ? c.address
                                          : "local socket",
                     c.port, database.empty() ? parameter(settings_->parameters, "user") : database);
}

void pg_dialer::end(result<pg_conn_ptr> outcome) {
  auto keep = shared_from_this();
  auto done = std::exchange(done_, nullptr);
  timer_.cancel();
  watch_.release();
  resolving_.clear();
  if (done) done(std::move(outcome));
}

void pg_dialer::cancel() noexcept {
  done_ = nullptr;
  timer_.cancel();
  watch_.release();
  conn_.reset();
  resolving_.clear();
}

}  // namespace corbel::detail
