"""https for a PrivateGit, with a certificate of its own: lets in who brings the token."""
import base64
import http.server
import os
import secrets
import ssl
import subprocess
import tempfile
import threading


class PrivateHttps:
    def __init__(self, repository):
        self._folder = tempfile.TemporaryDirectory(prefix="corbel-test-")
        self.token = secrets.token_hex(12)
        self.ca = f"{self._folder.name}/cert.pem"
        key = f"{self._folder.name}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", self.ca, "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
        allowed = "Basic " + base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        folder, name = os.path.split(repository.url)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self._serve(b"")

            def do_POST(self):
                self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def _serve(self, body):
                if self.headers.get("Authorization") != allowed:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                path, _, query = self.path.partition("?")
                answer = subprocess.run(
                    ["git", "http-backend"], input=body, stdout=subprocess.PIPE, check=True,
                    env=dict(os.environ, GIT_PROJECT_ROOT=folder, GIT_HTTP_EXPORT_ALL="1", GIT_CONFIG_GLOBAL="/dev/null",
                             PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD=self.command,
                             CONTENT_TYPE=self.headers.get("Content-Type", ""), REMOTE_USER="lesson")).stdout
                head, _, rest = answer.partition(b"\r\n\r\n")
                self.send_response(200)
                for line in head.decode().split("\r\n"):
                    self.send_header(*line.split(": ", 1))
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                self.wfile.write(rest)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"https://localhost:{self._server.server_port}/{name}"

    def environment(self):
        return {"BUNDLE_PRIVATE_URL": self.url, "GIT_HTTP_TOKEN": self.token, "GIT_SSL_CAINFO": self.ca}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()
