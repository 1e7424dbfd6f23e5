#include "json/document.hpp"

#include <corbel/bundle_webhook.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace corbel {

namespace {

using digest = std::array<unsigned char, 32>;

digest hmac(std::string_view key, std::string_view text) {
  digest out{};
  unsigned size = out.size();
  if (!::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char *>(text.data()),
              text.size(), out.data(), &size))
    throw failure(error(status::internal, "HMAC-SHA256 is not to be had", "bundle"));
  return out;
}

bool same(const digest &a, const digest &b) noexcept { return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// "sha256=" and 64 hexadecimal digits.
bool read_signature(std::string_view text, digest &out) noexcept {
  static constexpr std::string_view begin = "sha256=";
  if (!text.starts_with(begin) || text.size() != begin.size() + 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[begin.size() + 2 * i]), low = digit(text[begin.size() + 2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return true;
}

error refuse(const char *why) { return error(status::refused, why, "bundle", "WEBHOOK", error::fatal); }

/// What the body says was pushed; a body in another form says nothing.
std::string pushed_ref(std::string_view body) {
  auto document = json_document::parse(body, {.bytes = std::size_t{32} << 20});
  auto root = document ? document->root().object() : result<json_object>(document.error());
  auto ref = root ? root->text("ref", "") : result<std::string_view>(root.error());
  return ref ? std::string(*ref) : std::string();
}

}  // namespace

result<webhook_push> verify_webhook(std::string_view secret, const webhook_delivery &d) {
  if (secret.empty()) return refuse("there is no secret for this webhook: nobody is let in");
  if (d.signature.empty() == d.token.empty())
    return refuse(d.token.empty() ? "the delivery has neither X-Hub-Signature-256 nor X-Gitlab-Token"
                                  : "the delivery has both X-Hub-Signature-256 and X-Gitlab-Token");
  if (secret.size() > 4096) return error(status::invalid, "the secret has more than 4,096 characters", "bundle", "SECRET");
  webhook_push out{.event = std::string(d.event)};
  if (!d.signature.empty()) {
    digest given{};
    const bool is_one = read_signature(d.signature, given);
    if (!same(hmac(secret, d.body), given) || !is_one) return refuse("the delivery's signature is not that of the secret");
  } else {
    // Digests have one length, so how long the comparison takes tells nothing of the token's.
    if (!same(hmac("token", secret), hmac("token", d.token))) return refuse("the delivery's token is not the secret");
    out.sender = webhook_sender::gitlab;
  }
  out.is_push = out.event != "ping";
  out.ref = pushed_ref(d.body);
  return out;
}

}  // namespace corbel
