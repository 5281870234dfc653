"""Who stands at the counter: what was shown, held against the record. Compared as written, never by likeness."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slipring.fhir.service import Resource

from slipring_order.reading import codes

UNIDENTIFIED = "unidentified"
NAME, BIRTH_DATE = "name", "birth-date"
ENOUGH = 2  # identifiers of different kinds (CL02-A011:4.13)
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a patient, or who brings him, shows or says."""

    identifiers: Sequence[Resource] = ()
    name: str = ""
    birth_date: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of the comparison."""

    kinds: tuple[str, ...]  # kinds of identifier that agree
    wrong: tuple[str, ...]  # kinds that do not

    @property
    def enough(self) -> bool:
        """Whether two identifiers of different kinds agree and none disagrees."""
        return not self.wrong and len(self.kinds) >= ENOUGH


def compare(records: Sequence[Resource], shown: Shown) -> Checked:
    """Hold what was shown against the records of the person: after a merge any of them may be on the card he carries.

    What no record states, a name or a birth date, agrees with nothing and disagrees with nothing.
    """
    found = list(_compared(records, shown))
    right = dict.fromkeys(kind for kind, agrees in found if agrees)
    return Checked(tuple(right), tuple(dict.fromkeys(kind for kind, agrees in found if not agrees)))


def names_of(patient: Resource) -> frozenset[str]:
    """Every way in which a patient's name may be written, normalised."""
    found = set()
    for name in patient.get("name", []):
        family, given = str(name.get("family", "")), "".join(map(str, name.get("given", [])))
        found |= {normalised(text) for text in (str(name.get("text", "")), family + given, given + family)}
    return frozenset(found - {""})


def normalised(name: str) -> str:
    """A name without what is no letter, in one width and one case.

    >>> normalised("ZHANG, Ｗei") == normalised("zhang wei")
    True
    >>> normalised("阿依古丽·买买提") == normalised("阿依古丽 买买提")
    True
    """
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", name).casefold())


def same_person_by_words(one: Resource, other: Resource) -> bool:
    """Whether two records bear the same name and the same birth date: to be told apart by something else."""
    return (
        bool(one.get("birthDate"))
        and one.get("birthDate") == other.get("birthDate")
        and bool(names_of(one) & names_of(other))
    )


def is_unidentified(patient: Resource) -> bool:
    """Whether nobody knows yet who this is."""
    return any(tag.get("code") == UNIDENTIFIED for tag in patient.get("meta", {}).get("tag", []))


def _compared(records: Sequence[Resource], shown: Shown) -> Iterator[tuple[str, bool]]:
    held: list[dict[str, Any]] = [one for record in records for one in record.get("identifier", [])]
    seen = set[str]()
    for given in shown.identifiers:
        same = [one for one in held if one.get("value") == given.get("value") and _same_system(one, given)]
        known = same[0] if same else given
        kind = next(iter(codes(known.get("type"))), "") or str(known.get("system", "identifier"))
        if not same or given["value"] not in seen:  # one number under two systems is one number
            yield kind, bool(same)
        seen.add(str(given.get("value")))
    names = frozenset().union(*map(names_of, records))
    if normalised(shown.name) and names:
        yield NAME, normalised(shown.name) in names
    born = [str(record["birthDate"]) for record in records if record.get("birthDate")]
    if shown.birth_date in born:
        yield BIRTH_DATE, True
    elif shown.birth_date and born and not any(shown.birth_date.startswith(part) for part in born):
        yield BIRTH_DATE, False  # a record that knows the year alone neither agrees nor disagrees


def _same_system(held: Resource, given: Resource) -> bool:
    """A scanned bar code names no system; then the value alone counts."""
    return not given.get("system") or given["system"] == held.get("system")
