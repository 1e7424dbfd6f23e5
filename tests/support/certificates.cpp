#include "support/certificates.hpp"

#include "support/child_process.hpp"

namespace corbel::test {

namespace {
void signed_by(const certificates &c, const temp_dir &dir, const std::string &ca_key, const std::string &subject,
               const std::string &extensions, const std::string &cert, const std::string &key) {
  auto request = dir.file(subject + ".csr");
  auto conf = dir.write(subject + ".ext", extensions);
  run_program({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
               "/CN=" + subject, "-keyout", key, "-out", request});
  run_program({"openssl", "x509", "-req", "-in", request, "-CA", c.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
               "-extfile", conf, "-out", cert});
}
}  // namespace

certificates make_certificates(const temp_dir &dir, const std::string &names) {
  certificates c{dir.file("ca.pem"), dir.file("server.pem"), dir.file("server.key"), dir.file("client.pem"),
                 dir.file("client.key")};
  auto ca_key = dir.file("ca.key");
  run_program({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
               "/CN=test authority", "-days", "2", "-keyout", ca_key, "-out", c.ca});
  signed_by(c, dir, ca_key, "server", "subjectAltName=" + names + "\n", c.cert, c.key);
  signed_by(c, dir, ca_key, "client", "extendedKeyUsage=clientAuth\n", c.client_cert, c.client_key);
  return c;
}

}  // namespace corbel::test
