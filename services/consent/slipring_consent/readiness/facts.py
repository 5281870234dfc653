"""How ready a room is for a reaction: its crash cart, when it was checked last, and what of it is in date. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import interval
from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Limit, Weight

from slipring_consent.reading import items_of, moment, reference_of

CRASH_CART = f"{CANONICAL}/CodeSystem/device-kind|crash-cart"
CART_CHECK = f"{CANONICAL}/Questionnaire/staff-and-rooms-crash-cart-check"  # as order ships and keeps it
_DONE = frozenset({"completed", "amended"})
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    """The crash cart that counts for one injection with its newest check, and what one not in order does."""

    cart: str = "Device/cart"  # empty: none is on record for this room, nor for the department
    at_the_room: bool = False  # it stands in the room of the scanner
    checked_on: date | None = None  # None: never checked
    faults: tuple[str, ...] = ()  # lines of the check that said something is not as it must be
    use_by: tuple[tuple[str, date], ...] = ()  # drugs and supplies, by the last day that they may be used
    mode: str = "warn"  # warn | block
    policy: Limit | None = None  # where the mode comes from, and whether it is confirmed

    @property
    def weight(self) -> Weight:
        """`stop` where the policy blocks, else `warn`; a block is passed in an emergency, by name."""
        return Weight.STOP if self.mode == "block" else Weight.WARN

    def expired(self, day: date) -> tuple[str, ...]:
        """What may not be used on a day any more."""
        return tuple(name for name, last in self.use_by if last < day)


def cart_facts(cart: str, checks: Iterable[Resource], time_zone: str) -> ReadinessFacts:
    """A cart as its newest check says; an older pass heals no newer fault.

    Of checks authored at the same moment nobody knows which came last: the faults and the drugs of each count.
    """
    done = [
        (at, check)
        for check in checks
        if check.get("status") in _DONE and (at := moment(check.get("authored"), time_zone)) is not None
    ]
    if not done:
        return ReadinessFacts(cart)
    at = max(authored for authored, _ in done)
    newest = [check for authored, check in done if authored == at]
    return ReadinessFacts(
        cart,
        checked_on=at.astimezone(ZoneInfo(time_zone)).date(),
        faults=tuple(dict.fromkeys(fault for check in newest for fault in _faults(check))),
        use_by=tuple(sorted({each for check in newest for each in _use_by(check)})),
    )


def is_cart_check(response: Resource, cart: str) -> bool:
    """Whether a form is a check of this cart, in any version of the list."""
    named = str(response.get("questionnaire", "")).partition("|")[0]
    return named == CART_CHECK and reference_of(response.get("subject")) == cart


def _faults(check: Resource) -> Iterable[str]:
    for item in items_of(check):
        if any(answer.get("valueBoolean") is False for answer in item.get("answer", [])):
            yield str(item.get("text") or item["linkId"])


def _use_by(check: Resource) -> Iterable[tuple[str, date]]:
    for item in items_of(check):
        for answer in item.get("answer", []):
            last = interval(str(answer.get("valueDate", "")), UTC)
            if last is not None:  # 2027-05, as a pack prints it, is usable through the last of May
                yield str(item.get("text") or item["linkId"]), (last.high - _A_DAY).date()
