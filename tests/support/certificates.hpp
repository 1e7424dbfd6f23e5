#pragma once
/// Certificates for TLS tests, made by the openssl program, valid for two days.

#include "support/temp_dir.hpp"

#include <string>

namespace corbel::test {

/// Paths of PEM files. The authority has signed both certificates.
struct certificates {
  std::string ca, cert, key, client_cert, client_key;
};

/// The server's certificate carries `names`, in openssl's form.
certificates make_certificates(const temp_dir &dir, const std::string &names = "DNS:localhost");

}  // namespace corbel::test
