#include <corbel/error.hpp>

namespace corbel {

namespace {
const std::string &empty = *new std::string;  // never destroyed: I/O threads may outlive it
}

const char *status_name(status s) noexcept {
  switch (s) {
    case status::ok:
      return "OK";
    case status::invalid:
      return "INVALID";
    case status::state:
      return "STATE";
    case status::closed:
      return "CLOSED";
    case status::forked:
      return "FORKED";
    case status::no_memory:
      return "NO_MEMORY";
    case status::busy:
      return "BUSY";
    case status::timeout:
      return "TIMEOUT";
    case status::cancelled:
      return "CANCELLED";
    case status::lost:
      return "LOST";
    case status::refused:
      return "REFUSED";
    case status::unavailable:
      return "UNAVAILABLE";
    case status::protocol:
      return "PROTOCOL";
    case status::unsupported:
      return "UNSUPPORTED";
    case status::internal:
      return "INTERNAL";
  }
  return "UNKNOWN";
}

error::error(corbel::status s, std::string message, std::string source, std::string native, std::uint32_t flags)
    : data_(std::make_shared<const data>(data{s, flags, std::move(message), std::move(source), std::move(native), {}})) {}

error::error(corbel::status s, std::string message, std::string source, std::string native, std::uint32_t flags,
             std::vector<std::pair<std::string, std::string>> fields)
    : data_(std::make_shared<const data>(
          data{s, flags, std::move(message), std::move(source), std::move(native), std::move(fields)})) {}

const std::string *error::field(std::string_view name) const noexcept {
  if (data_)
    for (auto &[key, value] : data_->fields)
      if (key == name) return &value;
  return nullptr;
}

const error &error::out_of_memory() noexcept {
  static const auto &e = *[] { return new error(status::no_memory, "out of memory", "os", "ENOMEM", retriable); }();
  return e;
}

const std::string &error::message() const noexcept { return data_ ? data_->message : empty; }
const std::string &error::source() const noexcept { return data_ ? data_->source : empty; }
const std::string &error::native() const noexcept { return data_ ? data_->native : empty; }

}  // namespace corbel
