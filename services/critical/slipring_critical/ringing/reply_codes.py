"""The short code of a message that may be answered by a text message or on a keypad.

A code is no secret: who answers proves himself by his PIN. It only says which message is meant, and is not given again
before all others were.
"""

from __future__ import annotations

from slipring.fhir.service import CANONICAL, Desk, Resource

from slipring_critical.channels.replies import the_replies

REPLY_CODE = f"{CANONICAL}/identifier/reply-code"
SEQUENCE = "reply_code"
_STRIDE = 61_803  # without a factor in common with a power of ten: neighbours look nothing alike, and none repeats


async def reply_code(channel: str, desk: Desk) -> str:
    """A code for one more message by a channel; '' where its gateway gives no replies back."""
    if channel not in desk.settings.reply_media:
        return ""
    return code_of_number(await desk.next_value(SEQUENCE), the_replies().code_digits)


def code_of_number(number: int, digits: int) -> str:
    """The code of the n-th message.

    >>> [code_of_number(number, 5) for number in (1, 2, 100_001)]
    ['61803', '23606', '61803']
    """
    return f"{number * _STRIDE % 10**digits:0{digits}d}"


def with_code(attempt: Resource, code: str) -> Resource:
    """The attempt under its code beside its link."""
    if not code:
        return attempt
    return {**attempt, "identifier": [*attempt.get("identifier", []), {"system": REPLY_CODE, "value": code}]}


def code_in(attempt: Resource) -> str:
    """The code of an attempt, or ''."""
    return next((str(one["value"]) for one in attempt.get("identifier", []) if one.get("system") == REPLY_CODE), "")


def hint(code: str, whom: str, language: str) -> str:
    """How a message may be answered without its link; whoever holds an office's telephone names himself, too."""
    if not code:
        return ""
    return the_replies().say("hint" if whom.startswith("Practitioner") else "hint-office", language, code=code)
