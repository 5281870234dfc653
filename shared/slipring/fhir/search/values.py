"""The values of search parameters: what stands after the equals sign, parsed by the parameter's type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

from slipring.fhir.search import amount, wording
from slipring.fhir.search.fold import bounded, folded, reference_parts
from slipring.fhir.search.moment import BEGINNING, END, Interval, interval
from slipring.fhir.search.parameter import SearchParameter

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


@dataclass(frozen=True, slots=True)
class TokenValue:
    """A code; `system` None = in any system, '' = without a system; `code` None = any code of the system."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """A reference by type and id; `type` None = any type, '' = the id is a whole URL."""

    type: str | None
    id: str


@dataclass(frozen=True, slots=True)
class DateValue:
    """A moment as wide as it was written, and how a row must lie to it."""

    prefix: Prefix
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text, folded and as written."""

    folded: str
    exact: str


@dataclass(frozen=True, slots=True)
class CodesValue:
    """Any of these (system, code) pairs: the content of a value set."""

    codes: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class BelowValue:
    """A URL and every URL below it."""

    url: str


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """A number as wide as it was written: what equals it lies in [low, high), the other prefixes compare `exact`.

    `system` None = whatever the unit's system, `code` None = whatever the unit; with `loose` the unit as people write
    it counts as well as its code.
    """

    prefix: Prefix
    exact: Decimal
    low: Decimal
    high: Decimal
    system: str | None = None
    code: str | None = None
    loose: bool = False


Value = TokenValue | CodesValue | BelowValue | ReferenceValue | DateValue | TextValue | QuantityValue | bool

_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[-+\d])")
_SPACE_FOR_PLUS = re.compile(r" (?=\d\d:\d\d$)")  # a client that did not escape the + of its offset
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_ESCAPED = re.compile(r"\\([\\,|$])")


def split(text: str, separator: str) -> list[str]:
    r"""Split at unescaped separators; the pieces keep their escapes.

    >>> split(r"a\,b,c", ",")
    ['a\\,b', 'c']
    """
    if "\\" not in text:
        return text.split(separator)
    pieces, start, position = [], 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == separator:
            pieces.append(text[start:position])
            start = position + 1
        position += 1
    return [*pieces, text[start:]]


def unescaped(text: str) -> str:
    r"""Take the escapes of `\`, `,`, `|` and `$` away."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def above(url: str) -> list[str]:
    """A URL and the ones above it, segment by segment.

    >>> above("http://a.example/b/c")
    ['http://a.example/b/c', 'http://a.example/b', 'http://a.example']
    """
    start, host, path = url.rpartition("://")
    found, segments = [], path.split("/")
    for length in range(len(segments), 0, -1):
        found.append(f"{start}{host}{'/'.join(segments[:length])}")
    return found


def token(text: str, name: str, system: str = "") -> TokenValue:
    """`code`, `system|code`, `|code` or `system|`; `system` is what a plain code element implies."""
    pieces = [unescaped(piece) for piece in split(text, "|")]
    if len(pieces) == 1:
        return TokenValue("" if system else None, bounded(pieces[0]))
    if len(pieces) > 2 or not any(pieces):
        raise wording.bad_value(
            name, "expected code, system|code, |code or system|", "应为 代码、系统|代码、|代码 或 系统|"
        )
    if system and pieces[0] == system:  # rows of a code element carry no system
        pieces[0] = ""
        if not pieces[1]:
            return TokenValue("", None)
    return TokenValue(bounded(pieces[0]), bounded(pieces[1]) or None)


def reference(text: str, parameter: SearchParameter, name: str, wanted: str = "") -> ReferenceValue:
    """An id, `Type/id` or a URL; `wanted` is the type that a modifier asked for."""
    value = unescaped(text)
    only = wanted or (parameter.targets[0] if len(parameter.targets) == 1 else None)
    if _ID.fullmatch(value):
        return ReferenceValue(only, value)
    parts = reference_parts(value)
    if parts is None or (parts[0] == "" and ":" not in value):
        raise wording.bad_value(name, "expected an id, Type/id or a URL", "应为 id、类型/id 或 URL")
    if wanted and parts[0] not in ("", wanted):
        raise wording.bad_value(name, f"the modifier asks for {wanted}", f"修饰符要求类型 {wanted}")
    return ReferenceValue(*parts)


def date(text: str, name: str, zone: tzinfo) -> DateValue:
    """A date with an optional prefix; without a time zone it is taken in `zone`."""
    match = _PREFIX.match(text)
    prefix = match[1] if match else "eq"
    span = interval(_SPACE_FOR_PLUS.sub("+", text[2:] if match else text), zone)
    if span is None:
        raise wording.bad_value(
            name,
            "expected a date such as 2026-02, 2026-02-28 or 2026-02-28T08:30:00+08:00, with a prefix "
            "eq, ne, gt, ge, lt, le, sa, eb or ap if wanted",
            "应为日期，如 2026-02、2026-02-28 或 2026-02-28T08:30:00+08:00，"
            "可加前缀 eq、ne、gt、ge、lt、le、sa、eb、ap",
        )
    if prefix == "ap":
        span = _widened(span)
    return DateValue(prefix, *span)  # type: ignore[arg-type]


def _widened(span: Interval) -> Interval:
    """About then: as far again on both sides as the date is wide (a share of the way to now would need a clock)."""
    width = span.high - span.low
    low = span.low - width if span.low - BEGINNING > width else BEGINNING
    high = span.high + width if END - span.high > width else END
    return Interval(low, high)


def text(value: str, name: str) -> TextValue:
    """A string to compare folded or exactly."""
    exact = unescaped(value)
    found = TextValue(folded(exact), exact)
    if not found.folded:  # blanks or marks alone would match every row
        raise wording.bad_value(name, "expected at least one letter or sign", "至少需要一个字符")
    return found


def number(text: str, name: str) -> QuantityValue:
    """A number with an optional prefix."""
    match = _PREFIX.match(text)
    found = amount.width(text[2:] if match else text)
    if found is None:
        raise wording.bad_value(
            name,
            "expected a number such as 5.4, with a prefix eq, ne, gt, ge, lt, le, sa, eb or ap if wanted",
            "应为数值，如 5.4，可加前缀 eq、ne、gt、ge、lt、le、sa、eb、ap",
        )
    if match and match[1] == "ap":
        found = amount.about(found)
    return QuantityValue(match[1] if match else "eq", *found)  # type: ignore[arg-type]


def quantity(text: str, name: str) -> list[QuantityValue]:
    """A number, or number|system|code; the same amount in the other units of its kind counts too."""
    pieces = [unescaped(piece) for piece in split(text, "|")]
    asked = number(pieces[0], name)
    if len(pieces) == 1:
        return [asked]
    if len(pieces) != 3 or not pieces[2]:
        raise wording.bad_value(
            name,
            "expected number, number|system|code or number||unit",
            "应为 数值、数值|系统|单位代码 或 数值||单位",
        )
    system, code = pieces[1], pieces[2]
    if not system:
        return [_in_unit(asked, Decimal(1), None, code)]
    factors = amount.same_kind(system, code)
    return [_in_unit(asked, factor, system, other) for other, factor in factors.items()]


def _in_unit(asked: QuantityValue, factor: Decimal, system: str | None, code: str) -> QuantityValue:
    exact, low, high = amount.Width(asked.exact, asked.low, asked.high).times(factor)
    held = None if system is None else bounded(system)
    return QuantityValue(asked.prefix, exact, low, high, held, bounded(code), loose=system is None)
