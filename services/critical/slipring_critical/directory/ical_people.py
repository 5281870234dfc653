"""Who is meant by an event of a calendar: by the department's table, by the address of an ATTENDEE, by what SUMMARY says. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from slipring.fhir.service import Resource

from slipring_critical.directory.ical import Occurrence

NOBODY, SEVERAL, DECLINED = "nobody", "several", "declined"
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_CHINESE = re.compile("[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Names:
    """Names, each with whose it is, and how long they are: a text is cut into what may be one, and each piece looked up."""

    whose: Mapping[str, frozenset[str]]
    words: frozenset[int]  # how many words a name has
    letters: frozenset[int]  # how many letters one has that is Chinese, which is written without spaces

    def said(self, text: str) -> frozenset[str]:
        """Everybody whose name stands in a text; a name that is only a part of a longer one that stands there is not said."""
        found = {piece for piece in self._pieces(text) if piece in self.whose}
        whole = [word for word in found if not any(word != other and word in other for other in found)]
        return frozenset().union(*(self.whose[word] for word in whole))

    def _pieces(self, text: str) -> Iterator[str]:
        words = text.split()
        for count in self.words:
            yield from (" ".join(words[at : at + count]) for at in range(len(words) - count + 1))
        for run in _CHINESE.findall(text):
            for count in self.letters:
                yield from (run[at : at + count] for at in range(len(run) - count + 1))


@dataclass(frozen=True, slots=True)
class Register:
    """Everybody who is active, under the names a calendar may know them by; each leads to references (Practitioner/...)."""

    table: Names  # given with the file: an address, or the whole or a part of SUMMARY
    addresses: Mapping[str, frozenset[str]]
    words: Names  # staff numbers and names

    def meant(self, one: Occurrence) -> tuple[list[str], str]:
        """The people of an occurrence, or why nobody can be named: nobody, several or declined; and of whom, as ATTENDEE says."""
        if one.declined:
            return [], DECLINED
        if not one.attendees:
            return _only(self.table.said(_spaced(one.summary)) or self.words.said(_spaced(one.summary)))
        people: list[str] = []
        for address in one.attendees:
            found, why = _only(self.table.whose.get(_spaced(address)) or self.addresses.get(address, frozenset()))
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
    return Register(
        _names_in(said), {word: frozenset(who) for word, who in addresses.items() if word}, _names_in(words)
    )


def _names_in(known: Mapping[str, set[str]]) -> Names:
    whose = {word: frozenset(who) for word, who in known.items() if word}
    letters = frozenset(len(word) for word in whose if _CHINESE.fullmatch(word))
    return Names(whose, frozenset(len(word.split()) for word in whose), letters)


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


def _only(found: frozenset[str]) -> tuple[list[str], str]:
    if len(found) == 1:
        return list(found), ""
    return [], SEVERAL if found else NOBODY
