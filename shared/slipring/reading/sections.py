"""The text of a report section by section: read out of a Composition, and put back without touching what nobody changed. Pure."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from slipring.department.names import Pair, concept_words
from slipring.department.road import Tree

LOINC = "http://loinc.org"
_XHTML = "http://www.w3.org/1999/xhtml"
_BREAKS = frozenset({"p", "div", "br", "li", "tr"})
_PLAIN = frozenset({"p", "div", "br"})
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # XML 1.0 has no such character


@dataclass(frozen=True, slots=True)
class Kind:
    """A section that the editor knows; `own`: the editor writes it."""

    code: str
    title: Pair
    rows: int
    own: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A section as the editor shows it; `name`: of its field; `formatted`: a changed text loses the markup it has."""

    name: str
    title: Pair
    text: str
    rows: int = 3
    own: bool = True
    formatted: bool = False


@cache
def kinds() -> tuple[Kind, ...]:
    """The sections that the editor offers, in their order."""
    listed = tomllib.loads((Path(__file__).parent / "sections.toml").read_text("utf-8"))["section"]
    return tuple(Kind(one["code"], (one["zh"], one["en"]), one["rows"], one.get("own", True)) for one in listed)


def sections_of(composition: Tree | None) -> list[Section]:
    """All sections that the editor shows: those it offers, then any other that the text has."""
    held = _held(composition)
    known = [
        _shown(kind.code, kind.title, held.pop(kind.code, None), kind.rows, own=kind.own)
        for kind in kinds()
        if kind.own or kind.code in held
    ]
    others = [
        _shown(name, _titled(section), section, 3, own=not section.get("section")) for name, section in held.items()
    ]
    return known + others


def fields_in(composition: Tree | None) -> list[str]:
    """The field of each section of a text, in the text's order."""
    return list(_held(composition))


def merged(composition: Tree, typed: Mapping[str, str]) -> list[Tree]:
    """The sections with what was typed: changed ones written anew, emptied ones left out, the rest as it was received."""
    held = _held(composition)
    for name, given in typed.items():
        words, was = tidy(given), held.get(name)
        if was is not None and words == text_of(was):
            continue
        if words:
            held[name] = {**(was or _fresh(name)), "text": {"status": "generated", "div": as_div(words)}}
            held[name].pop("emptyReason", None)
        elif was is not None:
            rest = {member: value for member, value in was.items() if member != "text"}
            if rest.get("section") or rest.get("entry"):
                held[name] = rest
            else:
                del held[name]
    places = {kind.code: place for place, kind in enumerate(kinds())}
    return sorted(held.values(), key=lambda one: places.get(_code(one), len(places)))


def as_div(words: str) -> str:
    """A text as a narrative: a paragraph for each line."""
    lines = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in words.split("\n"))
    return f'<div xmlns="{_XHTML}">{lines}</div>'


def tidy(words: str) -> str:
    """A text as it is kept: lines without blanks around them, no empty ones, nothing that a document cannot hold."""
    lines = (line.strip() for line in _FORBIDDEN.sub("", words).splitlines())
    return "\n".join(line for line in lines if line)


def text_of(section: Tree) -> str:
    """The words of a section's narrative, a line for each paragraph."""
    return tidy("".join(_read(section).words))


class _Words(HTMLParser):
    """The words of a narrative, and whether its markup says more than where a line ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.more = False

    def handle_data(self, data: str) -> None:
        """Keep text; a line break in the source is a blank, as in every browser."""
        self.words.append(" ".join(data.split("\n")))

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """A new line, or markup that matters."""
        self.words.append("\n" if tag in _BREAKS else "")
        self.more = self.more or tag not in _PLAIN

    def handle_endtag(self, tag: str) -> None:
        """What follows a paragraph stands on a line of its own."""
        self.words.append("\n" if tag in _BREAKS else "")


def _read(section: Tree) -> _Words:
    reader = _Words()
    reader.feed(str(section.get("text", {}).get("div", "")))
    reader.close()
    return reader


def _held(composition: Tree | None) -> dict[str, Tree]:
    """The sections by the name of their field: the LOINC code, or the place of one without a code of its own."""
    found: dict[str, Tree] = {}
    for place, section in enumerate((composition or {}).get("section", [])):
        code = _code(section)
        found[code if code and code not in found else f"n{place}"] = section
    return found


def _code(section: Tree) -> str:
    codings: Sequence[Tree] = section.get("code", {}).get("coding", [])
    return next((str(one.get("code", "")) for one in codings if one.get("system") == LOINC), "")


def _titled(section: Tree) -> Pair:
    title = str(section.get("title", ""))
    return (title, title) if title else concept_words(section.get("code"))


def _shown(name: str, title: Pair, section: Tree | None, rows: int, *, own: bool) -> Section:
    if section is None:
        return Section(name, title, "", rows, own)
    return Section(name, title, text_of(section), rows, own, _read(section).more)


def _fresh(name: str) -> Tree:
    kind = next(one for one in kinds() if one.code == name)
    return {
        "title": f"{kind.title[0]} {kind.title[1]}",
        "code": {"coding": [{"system": LOINC, "code": kind.code, "display": kind.title[1]}]},
    }
