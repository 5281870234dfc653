"""The board of a ward: the message stands on the wall until somebody answers the case.

Nothing leaves the house. The attempt itself is the message: a Communication of this medium whose case still rings is
what a board shows, so a message is on the board from the commit that rang the step.
"""

from __future__ import annotations

import re

from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.outcome import Issue

from slipring_critical.channels.channel import Channel, Line, Message, Outside

_ADDRESS = re.compile(r"board:[A-Za-z0-9._~-]{1,64}", re.ASCII)


async def stand_on_the_board(message: Message, line: Line, outside: Outside) -> None:
    """It stands there already."""


def judged_board(address: str, policy: EndpointPolicy) -> Issue | None:
    """A board is named `board:NAME`."""
    if _ADDRESS.fullmatch(address):
        return None
    return Issue(
        "business-rule",
        zh="病区看板的地址写作 board:名称，名称由字母、数字和 . _ ~ - 组成。",
        en="The address of a ward board is board:NAME, of letters, digits and . _ ~ -.",
        at="Endpoint.address",
        detail="critical.board-address",
    )


def _ours(address: str) -> str:
    return "board"


WARD_BOARD = Channel(stand_on_the_board, judged_board, _ours, leaves=False)
