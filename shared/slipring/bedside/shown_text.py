"""A consent text as it is kept, for a page to show its words in their order."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from slipring.bedside.standing import ContrastExam
from slipring.department import names
from slipring.department.road import Hand
from slipring.fhir.outcome import not_found
from slipring.printing.own_direction import straight


class _Blocks(HTMLParser):
    """The words of a text, block by block, in their order; whatever else it holds is not shown."""

    _TAGS = ("h1", "h2", "h3", "p", "li", "dt", "dd", "th", "td")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self._tag = "p"
        self._inside = 0  # of head, style or script

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._inside += tag in ("head", "style", "script")
        self._tag = tag if tag in self._TAGS else self._tag
        if tag in self._TAGS:
            self.found.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag in ("head", "style", "script")

    def handle_data(self, data: str) -> None:
        if self._inside or not data.strip():
            return
        if not self.found:
            self.found.append(("p", ""))
        tag, said = self.found[-1]
        self.found[-1] = (tag, f"{said}{data}")


def blocks(document: str) -> list[tuple[str, str]]:
    """A text as tags and words, for a page to show: `h1`, `h2`, `p`, `li`, `dt`, `dd` ...

    >>> blocks("<body><h1>甲</h1><p>a &lt; b <b>c</b></p></body>")
    [('h1', '甲'), ('p', 'a < b c')]
    """
    parser = _Blocks()
    parser.feed(document)
    parser.close()
    return [(tag, straight(" ".join(said.split()))) for tag, said in parser.found if said.strip()]


@dataclass(frozen=True, slots=True)
class Text:
    """A consent text: its words, its language, and the mark by which it is known."""

    blocks: list[tuple[str, str]]
    language: str
    sha256: str


async def text_of(hand: Hand, text_id: str, one: ContrastExam) -> Text | None:
    """The text with this id, if it is one for this exam."""
    if not names.ID.fullmatch(text_id):
        return None
    document = await hand.read(f"DocumentReference/{text_id}")
    related = [names.reference_in(each) for each in document.get("context", {}).get("related", [])]
    if f"ServiceRequest/{one.exam.id}" not in related:
        raise not_found("DocumentReference")
    attachment = document["content"][0]["attachment"]
    words = base64.b64decode(attachment.get("data", "")).decode("utf-8", "replace")
    marks = (str(each.get("valueString", "")) for each in attachment.get("extension", []) if "sha256" in each["url"])
    return Text(blocks(words), str(attachment.get("language", "")), next(marks, ""))
