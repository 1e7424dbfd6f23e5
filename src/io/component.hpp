#pragma once
/// What a runtime can drain, abort and cancel: a pool. All members run on the component's loop except home().

#include <cstdint>
#include <functional>
#include <string>

namespace corbel::detail {

class loop;

class component {
 public:
  virtual ~component() = default;
  virtual loop &home() noexcept = 0;
  /// One phrase that names what is under way, such as "redis pool 'main' (12 commands, 1 lease)"; empty when nothing.
  virtual std::string left() const = 0;
  /// Refuses new calls; calls idle once when nothing is under way any more.
  virtual void drain(std::function<void()> idle) = 0;
  /// Fails what is under way with CANCELLED and closes everything.
  virtual void abort() = 0;
  /// Ends the operation of that ticket with CANCELLED, if it is still under way.
  virtual void cancel(std::uint64_t ticket) = 0;
};

}  // namespace corbel::detail
