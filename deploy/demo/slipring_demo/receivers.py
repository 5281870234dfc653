"""The outside world of the story: two phones and the HIS, as small HTTP servers on this machine."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """Listens on a free loopback port and keeps what it is sent; checks of itself as a contact route lie apart."""

    name: str
    checks: list[dict[str, Any]] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    taking: threading.Lock = field(default_factory=threading.Lock)  # both lists grow together

    def __post_init__(self) -> None:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if len(body) < length:  # the sender died in the middle: nothing was received
                    self.close_connection = True
                    return
                message = json.loads(body) if body else {}
                with owner.taking:
                    if "check" in message:
                        owner.checks.append(message)
                    else:
                        owner.received.append(message)
                        owner.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/{self.name.replace(' ', '-')}"

    def wait(self, count: int = 1, seconds: float = 20) -> bool:
        """Whether so many messages came in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if len(self.received) >= count:
                return True
            time.sleep(0.02)
        return False

    def forget(self) -> None:
        """Before the next story: nothing was received yet."""
        self.received.clear()
        self.headers.clear()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
