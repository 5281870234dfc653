"""Receivers that really listen on this machine, and a message for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.delivery.endpoint_connection import outside_client
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Line, Message, Outside
from slipring_critical.channels.media import short_text

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LINK = "https://front.test/fhir/Task/k-1"
HERE, STRICT = EndpointPolicy.stated(demo=True), EndpointPolicy.stated()
TEXT = short_text("message", "email", "zh", LINK)


def a_message(**members: Any) -> Message:
    fields: dict[str, Any] = {
        "case": "Task/k-1",
        "communication": "Communication/k-2",
        "level": "1",
        "text_zh": "有一条危急值等待您确认",
        "text_en": "A critical finding waits for you.",
        "link": LINK,
        "attempt_id": "a-1",
        "repeat": False,
        "sent_at": NOW,
        "short": TEXT,
        "recipient": "Practitioner/o-1",
    }
    return Message(**fields | members)


async def told(medium: str, line: Line, folder: Path = Path(), policy: EndpointPolicy = HERE, **message: Any) -> None:
    async with outside_client(policy) as client:
        outside = Outside(client, policy, 5.0, folder, "him@hospital.test")
        await CHANNELS[medium].deliver(a_message(**message), line, outside)


async def failure(
    medium: str, line: Line, policy: EndpointPolicy = HERE, folder: Path = Path(), **message: Any
) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await told(medium, line, folder, policy, **message)
    return caught.value


@dataclass
class Receiver:
    """An HTTP server on this machine that keeps what it was sent."""

    status: int = 201
    hangs: threading.Event | None = None
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@contextmanager
def a_receiver(status: int = 201, *, hangs: bool = False) -> Iterator[Receiver]:
    kept = Receiver(status, threading.Event() if hangs else None)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if kept.hangs:
                kept.hangs.wait(20)
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield kept
    finally:
        if kept.hangs:
            kept.hangs.set()
        server.shutdown()
        server.server_close()
