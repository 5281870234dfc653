"""The receivers of the story: what was cut off half-way was not received."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx
from slipring_demo.receivers import Receiver


def test_a_message_whose_sender_died_in_the_middle_is_not_received() -> None:
    """Only whole messages count, so that a repeat of a half one is the first that arrives."""
    receiver = Receiver("phone")
    try:
        address = urlsplit(receiver.url)
        with socket.create_connection((address.hostname, address.port)) as half:
            half.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{"case": ')
        httpx.post(receiver.url, json={"case": "whole"}, trust_env=False)
        assert receiver.wait()
        assert receiver.received == [{"case": "whole"}]
    finally:
        receiver.close()
