"""All pages of alerts, for a process that serves the front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.routing import Route

from slipring.alerts.boards import LIVE, WATCHED, BoardPages
from slipring.alerts.indicators import IndicatorPage
from slipring.alerts.link import LinkPages
from slipring.alerts.messages import MessagesPage
from slipring.alerts.receiver import Door
from slipring.alerts.replies import ReplyDoor
from slipring.department.live import LivePages
from slipring.runtime.settings import BadSettings

_SHORTEST_SECRET = 22
ROOM = "slipring.alerts"  # whose templates and words they need


def alert_routes(door: Door, reply_secrets: Sequence[str]) -> list[Route]:
    """What is served below `/alerts`, behind the links of messages, and to gateways that give replies back."""
    pages = (
        LivePages(door.place, LIVE, WATCHED, WATCHED),
        BoardPages(door),
        IndicatorPage(door.place),
        MessagesPage(door.place),
        ReplyDoor(door, reply_secrets),
        LinkPages(door),
    )
    return [route for page in pages for route in page.routes()]


def reply_secrets(path: str) -> list[str]:
    """The secrets by which gateways sign, one a line; none without a file. BadSettings for a file that holds none."""
    if not path:
        return []
    try:
        lines = Path(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadSettings(f"SLIPRING_REPLY_SECRET_FILE cannot be read: {type(problem).__name__}.") from None
    if not lines or any(len(line) < _SHORTEST_SECRET for line in lines):
        raise BadSettings(f"SLIPRING_REPLY_SECRET_FILE: each secret has at least {_SHORTEST_SECRET} characters.")
    return lines
