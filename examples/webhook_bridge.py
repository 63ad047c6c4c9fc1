"""A receiver of the webhooks of ``oe listen``: it trusts a signature alone, and counts no event twice.

export OE_WEBHOOK_SECRET=whsec_$(openssl rand -base64 24)
python examples/webhook_bridge.py 3000
oe listen --user bot-1 --forward-to http://localhost:3000/
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE_SECONDS = 300


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a webhook is genuine and new (standardwebhooks.com)."""
    webhook_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdecimal() or abs(now - int(sent)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, b".".join([webhook_id.encode(), sent.encode(), body]), hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    return any(hmac.compare_digest(expected, one) for one in headers.get("webhook-signature", "").split())


def receiver(secret: str, handle: Callable[[dict[str, Any]], None], port: int) -> ThreadingHTTPServer:
    """A server that hands each event to ``handle`` once. A bot keeps ``seen`` in its database, with the effect."""
    seen: set[str] = set()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if not is_signed(secret, self.headers, body, time.time()):  # type: ignore[arg-type]  # a mapping of text
                self.send_error(401)
                return
            if self.headers["webhook-id"] not in seen:
                handle(json.loads(body, parse_float=Decimal))
                seen.add(self.headers["webhook-id"])
            # Only a 2xx moves the cursor of oe listen on; after anything else it sends the event again.
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Receiver)


def show(event: dict[str, Any]) -> None:
    print(event["type"], event["data"]["orderId"], event["data"]["meta"].get("executedPrice", ""), flush=True)


if __name__ == "__main__":
    receiver(os.environ["OE_WEBHOOK_SECRET"], show, int(sys.argv[1])).serve_forever()
