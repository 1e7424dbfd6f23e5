#include "capi/cancel_point.hpp"

#include <boost/asio/post.hpp>

#include <map>
#include <mutex>

namespace corbel::capi {

namespace {

struct table {
  std::mutex mutex;
  std::map<std::pair<const detail::runtime_core *, corbel_ticket>, std::weak_ptr<cancel_point>> points;
};

/// Never destroyed: operations may end while the process does.
table &all() {
  static auto *t = new table;
  return *t;
}

}  // namespace

std::shared_ptr<cancel_point> cancel_point::make(const detail::runtime_core &runtime, corbel_ticket ticket,
                                                 detail::io_executor where) {
  auto made = std::make_shared<cancel_point>(runtime, ticket, std::move(where));
  std::lock_guard lock(all().mutex);
  all().points[{&runtime, ticket}] = made;
  return made;
}

cancel_point::~cancel_point() {
  std::lock_guard lock(all().mutex);
  all().points.erase({runtime_, ticket_});
}

bool cancel_point::cancel(const detail::runtime_core &runtime, corbel_ticket ticket) {
  std::shared_ptr<cancel_point> found;
  {
    std::lock_guard lock(all().mutex);
    const auto i = all().points.find({&runtime, ticket});
    if (i != all().points.end()) found = i->second.lock();
  }
  if (!found) return false;
  const auto where = found->where_;
  boost::asio::post(where, [found = std::move(found)] { found->signal_.emit(boost::asio::cancellation_type::terminal); });
  return true;
}

}  // namespace corbel::capi
