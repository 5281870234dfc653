"""A case's records without whom they are about: who signed and who did what stay, the patient does not (pure).

- Ids of persons and their stays (`Patient`, `RelatedPerson`, `Encounter`, ...) and every business identifier become
  pseudonyms: HMAC-SHA-256 under the key of the bundle, so that the same one is the same all through the bundle and nowhere else.
- A Patient keeps sex and year of birth; a RelatedPerson what he is to the patient; a Practitioner name and qualifications.
- Narratives and attachments are left out; size and SHA-256 of an attachment stay. Signatures of people's keys stay, drawn ones do not.
- Other text stays, because an assessor judges it; every name, number, address and identifier of the patient that is on
  record is struck out of it. What nobody recorded as such cannot be known: the bundle says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from slipring.fhir.service import Resource

MASK = "█"
_PERSONS = ("Patient", "RelatedPerson", "Person", "Encounter", "EpisodeOfCare", "Account", "Coverage", "Group")
_NAMED = re.compile(rf"\b({'|'.join(_PERSONS)})/([A-Za-z0-9.-]{{1,64}})")
_KEPT = {
    "Patient": ("gender", "birthDate", "active", "link"),
    "Person": ("gender", "birthDate"),
    "RelatedPerson": ("patient", "relationship", "active", "period"),
}
_OF_STAFF = ("identifier", "telecom", "address", "birthDate", "photo")  # of a Practitioner, left out
_PUBLIC = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location", "Device", "Medication"})
# Members whose text is a term or an address of a term, never prose.
_TERMS = frozenset({"system", "url", "code", "profile", "resourceType", "status", "id", "versionId", "lastUpdated"})
_SIGNED = "application/jose"
_LEAST_WORD, _LEAST_NUMBER = 2, 5  # characters of a name that is struck out, of a number


@dataclass(slots=True)
class Mask:
    """Masks the records of one case; `key` belongs to the bundle and is kept by nobody."""

    key: bytes
    struck: frozenset[str] = frozenset()  # words of the patient that are on record
    withheld: list[dict[str, Any]] = field(default_factory=list)  # what was left out of the record at work
    _words: re.Pattern[str] | None = None

    def __post_init__(self) -> None:
        """The words as one pattern, the longest first; a number is struck out where it stands by itself."""
        words = sorted((one for one in self.struck if one), key=len, reverse=True)
        if words:
            self._words = re.compile("|".join(map(_alone, words)))

    def pseudonym(self, value: str) -> str:
        """The same for the same value all through a bundle."""
        return "p-" + hmac.new(self.key, value.encode(), hashlib.sha256).hexdigest()[:24]

    def masked(self, resource: Resource) -> Resource:
        """A copy without the patient; what was left out of it is in `withheld` then."""
        self.withheld = []
        found: Resource = self._resource(resource, str(resource["resourceType"]))
        return found

    def reference(self, name: str) -> str:
        """A reference as it stands in the bundle."""
        return _NAMED.sub(lambda match: f"{match[1]}/{self.pseudonym(match[0])}", name)

    def _resource(self, tree: Resource, at: str) -> Resource:
        kind = str(tree.get("resourceType"))
        dropped = {"text"} | (set(_OF_STAFF) if kind == "Practitioner" else set())
        kept = _KEPT.get(kind)
        found: Resource = {}
        for name, member in tree.items():
            if name in dropped or (kept and name not in ("resourceType", "id", "meta", *kept)):
                continue
            if name == "id" and kind in _PERSONS:
                found[name] = self.pseudonym(f"{kind}/{member}")
            elif name in ("birthDate", "deceasedDateTime"):
                found[name] = str(member)[:4]
            else:
                found[name] = self._value(member, name, f"{at}.{name}", public=kind in _PUBLIC)
        return found

    def _value(self, value: Any, name: str, at: str, *, public: bool) -> Any:
        if isinstance(value, Mapping):
            return self._element(dict(value), name, at, public=public)
        if isinstance(value, list):
            return [self._value(one, name, f"{at}[{n}]", public=public) for n, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        if name == "uid":
            return self.pseudonym(value)
        return self.reference(value) if name in _TERMS else self._prose(self.reference(value))

    def _element(self, tree: dict[str, Any], name: str, at: str, *, public: bool) -> dict[str, Any]:
        if "resourceType" in tree:
            return self._resource(tree, at)
        of_person = isinstance(tree.get("reference"), str) and bool(_NAMED.search(tree["reference"]))
        if of_person:
            tree = {member: one for member, one in tree.items() if member not in ("display", "identifier")}
        if name.lower().endswith("identifier") and "value" in tree and not public:
            said = {member: one for member, one in tree.items() if member in ("system", "type", "use")}
            return {**said, "value": self.pseudonym(str(tree["value"]))}
        if "contentType" in tree:
            tree = self._withheld(tree, "data", at, also=("url", "title"))
        if "sigFormat" in tree and tree["sigFormat"] != _SIGNED:
            tree = self._withheld(tree, "data", at)
        return {member: self._value(one, member, f"{at}.{member}", public=public) for member, one in tree.items()}

    def _withheld(self, tree: dict[str, Any], name: str, at: str, *, also: tuple[str, ...] = ()) -> dict[str, Any]:
        if isinstance(tree.get(name), str):
            content = _decoded(tree[name])
            told = {"at": f"{at}.{name}", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            self.withheld.append(told)
        return {member: one for member, one in tree.items() if member not in (name, *also)}

    def _prose(self, text: str) -> str:
        return self._words.sub(MASK, text) if self._words else text


def words_of(people: Iterable[Resource], records: Iterable[Resource]) -> frozenset[str]:
    """What names the patient: names, numbers, addresses of the people; identifiers of the people and of the case's records."""
    found: set[str] = set()
    for person in people:
        found.add(str(person.get("id", "")))  # keys of cases and the like are made from it
        for name in (*person.get("name", []), *(one.get("name", {}) for one in person.get("contact", []))):
            given = [str(one) for one in name.get("given", [])]
            family = str(name.get("family", ""))
            found |= {str(name.get("text", "")), family + "".join(given), " ".join([*given, family])}
            found |= {one for one in (family, *given) if len(one) > _LEAST_WORD}
        for one in (*person.get("telecom", []), *(t for c in person.get("contact", []) for t in c.get("telecom", []))):
            found.add(str(one.get("value", "")))
        for one in person.get("address", []):
            found |= {str(one.get("text", "")), *map(str, one.get("line", []))}
        found |= set(_numbers(person))
    for record in records:
        if record.get("resourceType") not in _PUBLIC:
            found |= set(_numbers(record))
    return frozenset(word for word in found if len(word.strip()) >= _LEAST_WORD)


def _numbers(tree: Any, name: str = "") -> Iterator[str]:
    if isinstance(tree, Mapping):
        if name.lower().endswith("identifier") and len(str(tree.get("value", ""))) >= _LEAST_NUMBER:
            yield str(tree["value"])
        for member, one in tree.items():
            yield from _numbers(one, member)
    elif isinstance(tree, list):
        for one in tree:
            yield from _numbers(one, name)


def _alone(word: str) -> str:
    """Not inside a longer word of letters and digits: a short number is found in many a digest."""
    before = r"(?<![A-Za-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return f"{before}{re.escape(word)}{after}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()
