#include "support/redis_server.hpp"

#include "support/free_port.hpp"
#include "support/until.hpp"

#include <hiredis/hiredis.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace corbel::test {

namespace {

redis_answer read_answer(const redisReply &r) {
  redis_answer a;
  a.nil = r.type == REDIS_REPLY_NIL;
  if (r.str) a.text.assign(r.str, r.len);
  a.number = r.integer;
  for (std::size_t i = 0; i < r.elements; ++i) a.elements.push_back(read_answer(*r.element[i]));
  return a;
}

}  // namespace

struct redis_server::connection {
  explicit connection(const std::string &path) : context(::redisConnectUnixWithTimeout(path.c_str(), {5, 0})) {
    if (!context || context->err) throw std::runtime_error("cannot connect to " + path);
    ::redisSetTimeout(context.get(), {30, 0});
  }
  redis_answer ask(const std::vector<std::string> &arguments) {
    std::vector<const char *> argv;
    std::vector<std::size_t> sizes;
    for (auto &a : arguments) argv.push_back(a.data()), sizes.push_back(a.size());
    std::unique_ptr<redisReply, void (*)(void *)> reply(
        static_cast<redisReply *>(
            ::redisCommandArgv(context.get(), static_cast<int>(argv.size()), argv.data(), sizes.data())),
        ::freeReplyObject);
    if (!reply) throw std::runtime_error(std::string("redis-server does not answer: ") + context->errstr);
    auto answer = read_answer(*reply);
    if (reply->type == REDIS_REPLY_ERROR) throw std::invalid_argument(answer.text);
    return answer;
  }
  struct closer {
    void operator()(redisContext *c) const { ::redisFree(c); }
  };
  std::unique_ptr<redisContext, closer> context;
};

redis_server::redis_server(redis_server_options options) : options_(std::move(options)) {
  if (options_.tls) certificates_ = make_certificates(dir_, options_.tls_names);
  if (!options_.acl.empty()) {
    std::string lines = "user probe on >probe ~* &* +@all\n";
    for (auto &line : options_.acl) lines += line + "\n";
    dir_.write("users.acl", lines);
  }
  for (int tries = 0;; ++tries) {
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error &) {
      if (process_.running() || tries == 4) throw;  // else another process took the port meanwhile
    }
  }
}

redis_server::~redis_server() { kill(); }

std::string redis_server::url() const {
  auto host = options_.tls ? "localhost:" : "127.0.0.1:";
  auto user = options_.password.empty() ? "" : ":" + options_.password + "@";
  return (options_.tls ? "rediss://" : "redis://") + user + host + std::to_string(port_);
}

void redis_server::spawn() {
  auto port = std::to_string(port_);
  std::vector<std::string> arguments{
      "redis-server",  "--dir", dir_.path().string(),     "--bind",
      "127.0.0.1",     "-::1",  "--unixsocket",           unix_path(),
      "--save",        "",      "--appendonly",           options_.append_only ? "yes" : "no",
      "--appendfsync", "no",    "--maxclients",           std::to_string(options_.max_clients),
      "--tcp-backlog", "4096",  "--enable-debug-command", "yes"};
  auto add = [&](std::initializer_list<std::string> more) { arguments.insert(arguments.end(), more); };
  if (!options_.password.empty()) add({"--requirepass", options_.password});
  if (!options_.acl.empty()) add({"--aclfile", dir_.file("users.acl")});
  if (options_.tls) {
    add({"--port", "0", "--tls-port", port, "--tls-cert-file", certificates_.cert, "--tls-key-file", certificates_.key,
         "--tls-ca-cert-file", certificates_.ca, "--tls-auth-clients", options_.tls_clients ? "yes" : "no"});
  } else {
    add({"--port", port});
  }
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  std::lock_guard lock(mutex_);
  admin_.reset();
  process_ = child_process(arguments, dir_.file("redis.log"), options_.variables);
}

void redis_server::start() {
  spawn();
  wait_ready();
}

void redis_server::stop() {
  process_.stop();
  std::lock_guard lock(mutex_);
  admin_.reset();
}

void redis_server::kill() {
  process_.kill();
  std::lock_guard lock(mutex_);
  admin_.reset();
}

void redis_server::pause() { process_.pause(); }
void redis_server::resume() { process_.resume(); }

bool redis_server::probe() {
  try {
    if (!admin_) {
      auto fresh = std::make_unique<connection>(unix_path());
      if (!options_.acl.empty()) fresh->ask({"AUTH", "probe", "probe"});
      if (!options_.password.empty()) fresh->ask({"AUTH", options_.password});
      fresh->ask({"CLIENT", "SETNAME", "probe"});
      admin_ = std::move(fresh);
    }
    return admin_->ask({"PING"}).text == "PONG";
  } catch (const std::invalid_argument &) {
    return false;  // LOADING
  } catch (const std::runtime_error &) {
    admin_.reset();
    return false;
  }
}

redis_server::clock::time_point redis_server::wait_ready(std::chrono::milliseconds deadline) {
  bool ended = false;
  clock::time_point moment;
  bool up = until(deadline, [&] {
    std::lock_guard lock(mutex_);
    if (probe()) {
      moment = clock::now();
      return true;
    }
    return ended = !process_.running();
  });
  if (!up || ended) throw std::runtime_error("redis-server gave no PONG: " + log_text());
  return moment;
}

redis_answer redis_server::command(const std::vector<std::string> &arguments) {
  std::lock_guard lock(mutex_);
  if (!admin_ && !probe()) throw std::runtime_error("redis-server does not answer");
  try {
    return admin_->ask(arguments);
  } catch (const std::invalid_argument &e) {
    throw std::runtime_error(e.what());
  } catch (const std::runtime_error &) {
    admin_.reset();
    throw;
  }
}

std::string redis_server::info(const std::string &field) {
  std::istringstream lines(command({"INFO", "everything"}).text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(field + ":")) return line.substr(field.size() + 1, line.size() - field.size() - 2);
  }
  throw std::runtime_error("INFO has no " + field);
}

std::vector<std::string> redis_server::clients(const std::string &text) {
  std::istringstream lines(command({"CLIENT", "LIST"}).text);
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);) {
    auto name = line.substr(line.find(" name=") + 6);
    name.resize(name.find(' '));
    if (name != "probe" && name.find(text) != std::string::npos) found.push_back(line);
  }
  return found;
}

std::string redis_server::log_text() const {
  std::ostringstream out;
  out << std::ifstream(dir_.file("redis.log")).rdbuf();
  return out.str();
}

}  // namespace corbel::test
