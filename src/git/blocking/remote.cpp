#include "git/blocking/remote.hpp"

#include <fmt/format.h>

#include <git2.h>

namespace corbel::detail {

struct git_remote_link::callbacks {
  static git_remote_link &self(void *payload) { return *static_cast<git_remote_link *>(payload); }

  static int credentials(git_credential **out, const char *url, const char *user_from_url, unsigned allowed, void *payload) {
    auto &l = self(payload);
    const auto &a = l.access_;
    const bool is_ssh = l.where_.transport == git_transport::ssh;
    std::string user = !a.user.empty()          ? a.user
                       : !l.where_.user.empty() ? l.where_.user
                       : user_from_url          ? user_from_url
                                                : "";
    if (user.empty()) user = is_ssh ? "git" : "x-access-token";
    if (allowed & GIT_CREDENTIAL_USERNAME) return ::git_credential_username_new(out, user.c_str());
    // What was refused once is not tried again; what a redirect leads to elsewhere is told nothing.
    if (l.asked_++ > 0) return GIT_EAUTH;
    const auto there = read_git_location(url ? url : "");
    if (!is_ssh && (!there || there->host != l.where_.host ||
                    (l.where_.transport == git_transport::https && there->transport != git_transport::https))) {
      l.elsewhere_ = true;
      return GIT_EAUTH;
    }
    if (is_ssh) {
      if (allowed & GIT_CREDENTIAL_SSH_KEY)
        return a.ssh_key.empty() ? ::git_credential_ssh_key_from_agent(out, user.c_str())
                                 : ::git_credential_ssh_key_new(out, user.c_str(), nullptr, a.ssh_key.c_str(),
                                                                a.secret.empty() ? nullptr : a.secret.c_str());
      if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) == 0) return GIT_EAUTH;
    }
    const auto &secret = !a.secret.empty() ? a.secret : l.where_.password;
    if (secret.empty()) return GIT_EAUTH;
    return ::git_credential_userpass_plaintext_new(out, user.c_str(), secret.c_str());
  }

  /// libgit2 has checked: a certificate against the authorities, a host key against known_hosts. Nobody overrules it.
  static int certificate(git_cert *, int valid, const char *, void *) { return valid ? 0 : GIT_ECERTIFICATE; }

  static int progress(const git_indexer_progress *p, void *payload) {
    auto &l = self(payload);
    if (p->received_bytes > l.most_bytes_) {
      l.too_large_ = true;
      return GIT_EUSER;
    }
    if (l.progress_) l.progress_({p->received_objects, p->total_objects, p->received_bytes});
    return 0;
  }
};

git_remote_link::git_remote_link(const git_location &where, const git_access &access, progress_function progress)
    : where_(where), access_(access), progress_(std::move(progress)) {}

git_remote_link::~git_remote_link() = default;

git_remote_callbacks git_remote_link::table() {
  git_remote_callbacks c;
  ::git_remote_init_callbacks(&c, GIT_REMOTE_CALLBACKS_VERSION);
  c.credentials = callbacks::credentials;
  c.certificate_check = callbacks::certificate;
  c.transfer_progress = callbacks::progress;
  c.payload = this;
  return c;
}

/// A message of the server may hold anything: what is secret is taken out.
std::string git_remote_link::clean(std::string text) const {
  for (const auto *secret : {&access_.secret, &where_.password})
    for (std::size_t at; secret->size() > 2 && (at = text.find(*secret)) != text.npos;)
      text.replace(at, secret->size(), "***");
  return text;
}

error git_remote_link::failed(int code, const char *what) {
  if (too_large_)
    return error(status::protocol, fmt::format("{}: the repository sends more than {} bytes", what, most_bytes_), "git",
                 "TOO_LARGE", error::fatal);
  if (elsewhere_)
    return error(status::refused, fmt::format("{}: it was redirected to another host, which asks for credentials", what),
                 "git", "AUTH", error::fatal);
  const auto e = git_failure(code, what);
  // What the system says of a socket is about the network.
  const bool socket = e.native() == "OS" && where_.transport != git_transport::file;
  return error(e.code(), clean(e.message()), e.source(), socket ? "NETWORK" : e.native(), e.flags());
}

result<void> git_remote_link::connect(const git_mirror *mirror) {
  git_remote *made = nullptr;
  asked_ = 0;
  int code = mirror ? ::git_remote_create_anonymous(&made, mirror->get(), where_.url.c_str())
                    : ::git_remote_create_detached(&made, where_.url.c_str());
  if (code < 0) return failed(code, "cannot reach the repository");
  remote_.reset(made);
  auto c = table();
  git_proxy_options proxy;
  ::git_proxy_options_init(&proxy, GIT_PROXY_OPTIONS_VERSION);
  proxy.type = GIT_PROXY_AUTO;
  code = ::git_remote_connect(made, GIT_DIRECTION_FETCH, &c, &proxy, nullptr);
  if (code < 0) return failed(code, "cannot reach the repository");
  return {};
}

result<std::vector<git_advertised>> git_remote_link::list() {
  const git_remote_head **heads = nullptr;
  std::size_t count = 0;
  if (const int code = ::git_remote_ls(&heads, &count, remote_.get()); code < 0)
    return failed(code, "cannot list the repository");
  std::vector<git_advertised> all;
  for (std::size_t i = 0; i < count; ++i) {
    char id[GIT_OID_HEXSZ + 1];
    const auto &h = *heads[i];
    all.push_back({h.name, ::git_oid_tostr(id, sizeof id, &h.oid), h.symref_target ? h.symref_target : ""});
  }
  return all;
}

result<void> git_remote_link::fetch(const std::vector<std::string> &names, std::uint64_t most_bytes) {
  most_bytes_ = most_bytes;
  asked_ = 0;
  std::vector<std::string> specs;
  std::vector<char *> pointers;
  for (const auto &n : names) specs.push_back(is_full_commit(n) ? n : fmt::format("+{}:refs/fetched/{}", n, n));
  for (auto &s : specs) pointers.push_back(s.data());
  git_strarray list{pointers.data(), pointers.size()};
  git_fetch_options o = GIT_FETCH_OPTIONS_INIT;
  o.callbacks = table();
  o.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  o.update_fetchhead = 0;
  o.proxy_opts.type = GIT_PROXY_AUTO;
  if (const int code = ::git_remote_download(remote_.get(), &list, &o); code < 0) return failed(code, "cannot fetch");
  return {};
}

}  // namespace corbel::detail
