"""Matching of worklist keys (PS3.4 C.2.2.2): single value, list, wildcard, range and universal. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

_RANGE = re.compile(r"^\s*(?P<first>[\d.:]*)\s*-\s*(?P<last>[\d.:]*)\s*$")


@dataclass(frozen=True, slots=True)
class Span:
    """A span of days or times of day, both ends included; None is open."""

    first: str = ""
    last: str = ""

    def holds(self, value: str) -> bool:
        """Whether a value of the same form lies in it."""
        return (not self.first or value >= self.first) and (not self.last or value <= self.last)


class BadKey(ValueError):
    """A key that is no value of its kind; the message names the attribute, not the value."""


def same(wanted: str, held: str) -> bool:
    """Single value, or wildcard matching with * and ?; an empty key matches everything.

    >>> same("CT*", "CT2026"), same("", "x"), same("CT", "CT2026"), same("CT?", "CT2")
    (True, True, False, True)
    """
    wanted = wanted.strip()
    if not wanted or set(wanted) == {"*"}:
        return True
    if "*" not in wanted and "?" not in wanted:
        return wanted == held
    return _fits(wanted, held)


def _fits(pattern: str, text: str) -> bool:
    """Wildcards in time of their lengths multiplied: a regular expression of many stars would try every split there is.

    >>> _fits("a*b?d", "axxbcd"), _fits("*?" * 32 + "b", "a" * 64)
    (True, False)
    """
    at, star, tried = 0, -1, 0
    position = 0
    while position < len(text):
        sign = pattern[at] if at < len(pattern) else ""
        if sign == "*":
            star, tried = at, position
            at += 1
        elif sign and sign in ("?", text[position]):
            at, position = at + 1, position + 1
        elif star >= 0:  # the last star takes one more
            tried += 1
            at, position = star + 1, tried
        else:
            return False
    return not pattern[at:].strip("*")


def one_of(wanted: Iterable[str], held: str) -> bool:
    """List matching; no value matches everything."""
    values = [one.strip() for one in wanted if one.strip()]
    return not values or held in values


def named(wanted: str, held: str) -> bool:
    """Person names: any component group, whatever the case, the width and trailing delimiters.

    >>> named("wang*", "Wang^Fang=王^芳"), named("王^芳", "Wang^Fang=王^芳"), named("李*", "Wang^Fang=王^芳")
    (True, True, False)
    """
    if not wanted.strip("=^* "):
        return True
    groups = [plain_name(group) for group in held.split("=")]
    asked = [plain_name(group) for group in wanted.split("=")]
    return all(any(same(one, group) for group in groups) for one in asked if one.strip("*"))


def plain_name(group: str) -> str:
    """A component group in the form in which groups compare."""
    folded = unicodedata.normalize("NFKC", group).casefold()
    return "^".join(part.strip() for part in folded.split("^")).rstrip("^")


def days(wanted: str, attribute: str) -> Span:
    """A date or a range of dates as YYYYMMDD.

    >>> days("20261126-", "x"), days("2026.11.26", "x")
    (Span(first='20261126', last=''), Span(first='20261126', last='20261126'))
    """
    first, last = _ends(wanted, attribute)
    return Span(_day(first, attribute), _day(last, attribute))


def times(wanted: str, attribute: str) -> Span:
    """A time or a range of times as HHMMSS; a time without seconds means all of its minute.

    >>> times("0800-0959", "x")
    Span(first='080000', last='095959')
    """
    first, last = _ends(wanted, attribute)
    return Span(_time(first, "0", attribute), _time(last, "9", attribute))


def moments(on: Span, at: Span, value: datetime, *, combined: bool) -> bool:
    """Whether a moment of the department matches a date key and a time key.

    `combined`: both are ranges that together mean one span from the first moment to the last (PS3.4 C.2.2.2.5.1);
    else each is matched by itself.
    """
    day, clock = value.strftime("%Y%m%d"), value.strftime("%H%M%S")
    if combined and on.first and on.last:
        return Span(on.first + (at.first or "000000"), on.last + (at.last or "235959")).holds(day + clock)
    return on.holds(day) and at.holds(clock)


def _ends(wanted: str, attribute: str) -> tuple[str, str]:
    wanted = wanted.strip()
    if not wanted or wanted in ("*", "-"):
        return "", ""
    if "-" not in wanted:
        return wanted, wanted
    found = _RANGE.match(wanted)
    if not found:
        raise BadKey(attribute)
    return found["first"], found["last"]


def _day(text: str, attribute: str) -> str:
    plain = text.replace(".", "")
    if not plain:
        return ""
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:])).strftime("%Y%m%d")
    except ValueError:
        raise BadKey(attribute) from None


def _time(text: str, fill: str, attribute: str) -> str:
    plain = text.replace(":", "").partition(".")[0]
    if not plain:
        return ""
    if not plain.isdigit() or len(plain) not in (2, 4, 6):
        raise BadKey(attribute)
    whole = plain + {"0": "0000", "9": "5959"}[fill][len(plain) - 2 :]
    try:
        time(int(whole[:2]), int(whole[2:4]), min(int(whole[4:]), 59))
    except ValueError:
        raise BadKey(attribute) from None
    return whole
