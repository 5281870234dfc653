"""What a value found by a FHIRPath expression means to a search value, type by type, written from R4's search page."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

Resource = dict[str, Any]
_BELOW, _ABOVE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_IN_GRAMS = {"g": Fraction(1), "mg": Fraction(1, 1000), "[lb_av]": Fraction("453.59237")}
_INFINITE = Fraction(10) ** 400


def present(values: list[Any], kind: str) -> bool:
    """Whether there is anything that a search of this kind could meet."""
    tests = {
        "token": _tokens,
        "reference": lambda v: [v] if _literal(v) else [],
        "date": lambda v: [x for x in [_span(v)] if x],
    }
    tests |= {"string": _strings, "uri": lambda v: [v], "quantity": lambda v: [x for x in [_amount(v)] if x]}
    return any(tests[kind](value) for value in values)


def meets(value: Any, kind: str, modifier: str, text: str) -> bool:
    """Whether a value meets one of the alternatives of a search."""
    if kind == "token":
        return token_meets(value, modifier, text)
    if kind == "reference":
        return _reference(value, modifier, text)
    if kind == "date":
        span = _span(value)
        return span is not None and _dated(span, text)
    if kind == "string":
        return any(_reads(one, modifier, text) for one in _strings(value))
    if kind == "uri":
        return _uri(str(value), modifier, text)
    amount = _amount(value)
    return amount is not None and _counted(amount, text)


def _tokens(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, bool):
        return [("", str(value).lower())]
    if isinstance(value, str):
        return [("", value), ("", value.partition("|")[0])]
    if "coding" in value or set(value) == {"text"}:
        return [token for coding in value.get("coding", []) for token in _tokens(coding)]
    code = value.get("value") if "value" in value else value.get("code")
    return [(value.get("system", ""), code)] if code else []


def token_meets(value: Any, modifier: str, text: str) -> bool:
    """Whether a coded value, identifier or plain code meets `system|code`."""
    if modifier == "text":
        named = [value, *value.get("coding", []), value.get("type", {})] if isinstance(value, dict) else []
        told = [one.get(name) for one in named if isinstance(one, dict) for name in ("text", "display")]
        return any(_folded(one).startswith(_folded(text)) for one in told if one)
    if modifier == "of-type":
        system, code, number = text.split("|")
        kinds = value.get("type", {}).get("coding", [])
        typed = any((one.get("system"), one.get("code")) == (system, code) for one in kinds)
        return value.get("value") == number and typed
    system, bar, code = text.rpartition("|")
    return any((not bar or held == system) and code in ("", one) for held, one in _tokens(value))


def _literal(value: Any) -> str:
    literal = value if isinstance(value, str) else value.get("reference", "")
    return "" if literal.startswith("#") else re.sub(r"/_history/[^/]+$", "", literal)


def _reference(value: Any, modifier: str, text: str) -> bool:
    if modifier == "identifier":
        return isinstance(value, dict) and "identifier" in value and token_meets(value["identifier"], "", text)
    literal = _literal(value)
    if isinstance(value, str) and text in (literal, literal.partition("|")[0]):
        return True
    relative = re.fullmatch(r"([A-Z]\w+)/([\w.-]+)", literal)
    if modifier:
        return bool(relative) and relative[1] == modifier and text in (relative[2], literal)  # type: ignore[index]
    return text == literal or (bool(relative) and text == relative[2])  # type: ignore[index]


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    told: list[str] = []
    for name in (
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "line",
        "city",
        "district",
        "state",
        "postalCode",
        "country",
    ):
        part = value.get(name, [])
        told += part if isinstance(part, list) else [part]
    return told


def _reads(value: str, modifier: str, text: str) -> bool:
    if modifier == "exact":
        return value == text
    return _folded(text) in _folded(value) if modifier == "contains" else _folded(value).startswith(_folded(text))


def _uri(value: str, modifier: str, text: str) -> bool:
    forms = (value, value.partition("|")[0])
    if modifier == "below":
        return any(one == text or one.startswith(text.rstrip("/") + "/") for one in forms)
    if modifier == "above":
        return any(text == one or text.startswith(one + "/") for one in forms)
    return text in forms


def _moment(text: str) -> tuple[datetime, datetime]:
    """First and last moment (exclusive) of a date as written, days in UTC."""
    if len(text) <= 10:
        parts = [int(part) for part in text.split("-")]
        low = datetime(*[*parts, 1, 1][:3], tzinfo=UTC)  # type: ignore[arg-type]
        if len(parts) == 1:
            return low, low.replace(year=low.year + 1)
        if len(parts) == 2:
            return low, (low + timedelta(days=32)).replace(day=1)
        return low, low + timedelta(days=1)
    low = datetime.fromisoformat(text.replace("Z", "+00:00"))
    fraction = re.search(r"\.(\d+)", text)
    return low, low + timedelta(seconds=float(Fraction(1, 10 ** len(fraction[1])))) if fraction else low + timedelta(
        seconds=1
    )


def _span(value: Any) -> tuple[datetime, datetime] | None:
    if isinstance(value, str):
        return _moment(value) if re.match(r"\d{4}", value) else None
    if "event" in value or "repeat" in value:
        bounds = value.get("repeat", {}).get("boundsPeriod")
        spans = [_moment(one) for one in value.get("event", [])] + [s for s in [_span(bounds) if bounds else None] if s]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
    low = _moment(value["start"])[0] if "start" in value else _BELOW
    high = _moment(value["end"])[1] if "end" in value else _ABOVE
    return (low, high) if ("start" in value or "end" in value) and low < high else None


def _dated(span: tuple[datetime, datetime], text: str) -> bool:
    prefix, low, high = text[:2], *_moment(text[2:])
    inside = low <= span[0] and span[1] <= high
    return {
        "eq": inside,
        "ne": not inside,
        "lt": span[0] < low,
        "gt": span[1] > high,
        "le": inside or span[0] < low,
        "ge": inside or span[1] > high,
        "sa": span[0] >= high,
        "eb": span[1] <= low,
    }[prefix]


def _amount(value: Any) -> tuple[Fraction, Fraction, Resource] | None:
    """Lowest, highest and unit of what an element says."""
    if "data" in value:
        numbers = [Fraction(word) for word in value["data"].split() if re.fullmatch(r"-?[\d.]+", word)]
        ends = [Fraction(value["origin"]["value"]) + Fraction(value.get("factor", 1)) * number for number in numbers]
        return (min(ends), max(ends), value["origin"]) if ends else None
    if "low" in value or "high" in value:
        low, high = value.get("low"), value.get("high")
        return (
            Fraction(low["value"]) if low else -_INFINITE,
            Fraction(high["value"]) if high else _INFINITE,
            low or high,
        )
    number, comparator = Fraction(value["value"]), value.get("comparator", "")
    low = -_INFINITE if "<" in comparator else number
    return low, _INFINITE if ">" in comparator else number, value


def _counted(amount: tuple[Fraction, Fraction, Resource], text: str) -> bool:
    low, high, held = amount
    number, *unit = text[2:].split("|")
    factor = Fraction(1)
    if unit and not unit[0]:
        if unit[1] not in (held.get("code"), held.get("unit")):
            return False
    elif unit:
        if held.get("system") != unit[0]:
            return False
        if held.get("code") != unit[1]:
            if held.get("code") not in _IN_GRAMS or unit[1] not in _IN_GRAMS:
                return False
            factor = _IN_GRAMS[unit[1]] / _IN_GRAMS[held["code"]]
    exact = Fraction(number) * factor
    places = -int(Decimal(number).as_tuple().exponent)
    half = Fraction(1, 2 * 10**places) * factor
    return {
        "eq": low >= exact - half and high < exact + half,
        "ne": not (low >= exact - half and high < exact + half),
        "gt": high > exact,
        "lt": low < exact,
        "ge": high >= exact,
        "le": low <= exact,
        "sa": low > exact,
        "eb": high < exact,
        "ap": low <= exact + abs(exact) / 10 and high >= exact - abs(exact) / 10,
    }[text[:2]]
