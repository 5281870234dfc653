"""Who is meant by an event of a calendar: by the department's table, by the address of an ATTENDEE, by what SUMMARY says. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipring.fhir.service import Resource

from slipring_critical.directory.ical import Occurrence

NOBODY, SEVERAL, DECLINED = "nobody", "several", "declined"
_BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Register:
    """Everybody who is active, under the names a calendar may know them by; each leads to references (Practitioner/...)."""

    table: Mapping[str, frozenset[str]]  # given with the file: an address, or the whole or a part of SUMMARY
    addresses: Mapping[str, frozenset[str]]
    words: Mapping[str, frozenset[str]]  # staff numbers and names

    def meant(self, one: Occurrence) -> tuple[list[str], str]:
        """The people of an occurrence, or why nobody can be named: nobody, several or declined; and of whom, as ATTENDEE says."""
        if one.declined:
            return [], DECLINED
        if not one.attendees:
            return _only(_longest(_spaced(one.summary), self.table) or _longest(_spaced(one.summary), self.words))
        people: list[str] = []
        for address in one.attendees:
            found, why = _only(self.table.get(_spaced(address)) or self.addresses.get(address, frozenset()))
            if why:
                return [], why
            people += found
        return list(dict.fromkeys(people)), ""


def register(staff: Iterable[Resource], table: Sequence[tuple[str, str]], *, shortest_number: int) -> Register:
    """Of Practitioners, and of what the caller says (text, reference); numbers shorter than `shortest_number` are no names."""
    addresses: dict[str, set[str]] = {}
    words: dict[str, set[str]] = {}
    for person in staff:
        reference = f"Practitioner/{person['id']}"
        if person.get("active") is False:
            continue
        for one in person.get("telecom", []):
            if one.get("system") == "email" and one.get("use") != "old" and one.get("value"):
                addresses.setdefault(str(one["value"]).strip().casefold(), set()).add(reference)
        numbers = [str(one.get("value", "")).strip() for one in person.get("identifier", [])]
        for word in [*(one for one in numbers if len(one) >= shortest_number), *_names(person)]:
            words.setdefault(_spaced(word), set()).add(reference)
    said: dict[str, set[str]] = {}
    for text, reference in table:
        said.setdefault(_spaced(text), set()).add(reference)
    return Register(*({word: frozenset(who) for word, who in one.items() if word} for one in (said, addresses, words)))


def _names(person: Resource) -> Iterable[str]:
    for name in person.get("name", []):
        family, given = str(name.get("family", "")), [str(one) for one in name.get("given", [])]
        whole = (
            str(name.get("text", "")),
            f"{family}{''.join(given)}",
            " ".join([*given, family]),
            " ".join([family, *given]),
        )
        # A first name or a family name alone is many people's.
        yield from (one for one in whole if one.strip() and one.strip() != family and one.strip() not in given)


def _spaced(text: str) -> str:
    """Words between single spaces, whatever stood between them, in one case and width.

    >>> _spaced("Nacht: MEYER,Anne (T-104)")
    'nacht meyer anne t 104'
    """
    return " ".join(_BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split())


def _longest(summary: str, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Everybody whose name stands in a summary; a name that is only a part of a longer one that stands there is not said."""
    found = [word for word in known if _stands(word, summary)]
    whole = [word for word in found if not any(word != other and word in other for other in found)]
    return frozenset().union(*(known[word] for word in whole))


def _stands(word: str, summary: str) -> bool:
    """Whether a name stands there as words of its own; Chinese is written without spaces."""
    return (
        word in summary
        if not word.isascii() and " " not in word and _is_chinese(word)
        else f" {word} " in f" {summary} "
    )


def _is_chinese(word: str) -> bool:
    return all("\u3400" <= letter <= "\u9fff" for letter in word)


def _only(found: frozenset[str]) -> tuple[list[str], str]:
    if len(found) == 1:
        return list(found), ""
    return [], SEVERAL if found else NOBODY
