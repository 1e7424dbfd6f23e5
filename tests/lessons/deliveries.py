"""Deliveries as GitHub sends them, for the lesson about webhooks: a forged one, then a right one."""
import hashlib
import hmac

SECRET = "a secret of the test's"


def deliver(to):
    body = '{"ref": "refs/heads/main"}'
    for secret in ("somebody else's", SECRET):
        signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        to.write(f"X-Hub-Signature-256: sha256={signature}\n{body}\n")
    to.flush()
