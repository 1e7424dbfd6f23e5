#pragma once
/// Which handler answers which method and path.

#include <corbel/http.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace corbel {

struct http_route {
  http_handler handler;
  bool while_draining = false;  ///< also answered after http_server::drain; others get 503 then
  bool probe = false;           ///< asks after the host: is no work that a drain waits for
};

class http_router {
 public:
  /// path is compared as a whole; one that ends in "/*" also holds for all paths below it that no other route has.
  void add(std::string method, std::string path, http_route route);

  struct match {
    const http_route *route = nullptr;
    std::string allow = {};  ///< when there is no route: the methods that the path has, "GET, HEAD"; empty: unknown path
  };
  /// HEAD is found where GET is.
  match find(std::string_view method, std::string_view path) const;

 private:
  std::map<std::string, std::map<std::string, http_route, std::less<>>, std::less<>> paths_;
};

}  // namespace corbel
