"""A document that a service made, for a page to show its words in their order; its markup never reaches the page. Pure."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from slipring.printing.own_direction import straight

Block = tuple[str, str]  # tag, words


class _Blocks(HTMLParser):
    """The words of a text, block by block, in their order; whatever else it holds is not shown."""

    _TAGS = ("h1", "h2", "h3", "p", "li", "dt", "dd", "th", "td")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Block] = []
        self._tag = "p"
        self._inside = 0  # of head, style or script

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._inside += tag in ("head", "style", "script")
        self._tag = tag if tag in self._TAGS else self._tag
        if tag in self._TAGS:
            self.found.append((tag, ""))
        elif tag == "span" and self.found:  # a label and what it says, beside the next such pair
            self._say(" ")

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag in ("head", "style", "script")

    def handle_data(self, data: str) -> None:
        if self._inside or not data.strip():
            return
        if not self.found:
            self.found.append(("p", ""))
        self._say(data)

    def _say(self, words: str) -> None:
        tag, said = self.found[-1]
        self.found[-1] = (tag, f"{said}{words}")


def blocks(document: str) -> list[Block]:
    """A document as tags and words, for a page to show: `h1`, `h2`, `p`, `li`, `dt`, `dd` ...

    >>> blocks("<body><h1>甲</h1><p>a &lt; b <b>c</b></p></body>")
    [('h1', '甲'), ('p', 'a < b c')]
    >>> blocks("<p><span>Name: A</span><span>Sex: F</span></p>")
    [('p', 'Name: A Sex: F')]
    """
    parser = _Blocks()
    parser.feed(document)
    parser.close()
    return [(tag, straight(" ".join(said.split()))) for tag, said in parser.found if said.strip()]
