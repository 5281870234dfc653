"""A thread in which every connection is judged before it is made, whatever library makes it.

Libraries that bring their own client resolve and connect by themselves. The interpreter tells of each socket that is
about to connect (PEP 578); in a guarded thread the policy has its say there, so a name that turns, a redirect or a
parameter of an address leads nowhere it may not lead.
"""

from __future__ import annotations

import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from slipring.fhir.delivery.endpoint_policy import EndpointPolicy, Target

_WEB_PORT = 443


class ConnectionRefused(OSError):
    """The policy refuses where a connection leads."""


@dataclass(slots=True)
class Guard:
    """What one guarded thread may do, and whether it tried something else."""

    policy: EndpointPolicy
    scheme: str  # https, or http when what is sent is not encrypted
    ports: frozenset[int]  # beside those of the web: a mail server's
    refused: bool = False


class _Present(threading.local):
    guard: Guard | None = None


_PRESENT = _Present()


@contextmanager
def guarded(guard: Guard) -> Iterator[Guard]:
    """Judge each connection of this thread until the end of the block."""
    _listen()
    _PRESENT.guard = guard
    try:
        yield guard
    finally:
        _PRESENT.guard = None


@cache
def _listen() -> None:
    """Once in a process: such a hook is never taken away again."""
    sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _PRESENT.guard is not None:
        _judge(_PRESENT.guard, arguments[1])


def _judge(guard: Guard, address: Any) -> None:
    """IPv4 and IPv6 only: a path is a socket on this machine."""
    if isinstance(address, tuple):
        host, port = str(address[0]).partition("%")[0], int(address[1])
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            literal = None
        if literal is not None:
            judged = Target(guard.scheme, str(literal), _WEB_PORT if port in guard.ports else port)
            if guard.policy.judge_connection(judged, literal) is None:
                return
    guard.refused = True
    raise ConnectionRefused("refused by the endpoint policy")
