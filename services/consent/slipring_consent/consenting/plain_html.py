"""A text as it may stand inside a printed page: its words and their order, and nothing that acts or looks elsewhere."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

from slipring.printing.own_direction import straight

_KEPT = frozenset(
    {"h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "dl", "dt", "dd", "section", "blockquote", "pre", "br", "hr"}
    | {"table", "thead", "tbody", "tr", "th", "td", "strong", "b", "em", "i", "sub", "sup"}
)
_DROPPED = frozenset({"script", "style", "head", "template", "noscript", "iframe", "object", "svg", "math"})
_EMPTY = frozenset({"br", "hr"})
_DEEPEST = 40  # of elements in one another; what lays pages out goes as deep as they do


class _Plain(HTMLParser):
    """Writes the elements that are kept again, without any attribute; of those that are dropped not even the words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it bare, or begin to drop."""
        if tag in _DROPPED:
            self._dropping.append(tag)
        elif not self._dropping and tag in _KEPT and (tag in _EMPTY or len(self._open) < _DEEPEST):
            self.written.append(f"<{tag}>")
            if tag not in _EMPTY:
                self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what is open, up to this one."""
        if tag in self._dropping:
            del self._dropping[self._dropping.index(tag) :]
        elif not self._dropping and tag in self._open:
            while self._open:
                last = self._open.pop()
                self.written.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        if not self._dropping:
            self.written.append(escape(straight(data)))

    def whole(self) -> str:
        """All of it, with everything closed."""
        return "".join(self.written) + "".join(f"</{tag}>" for tag in reversed(self._open))


def plain_html(content: bytes, content_type: str) -> str:
    """A text of this media type as harmless HTML; empty for what is no text."""
    kind = content_type.partition(";")[0].strip().lower()
    text = content.decode("utf-8", "replace")
    if kind == "text/html":
        reader = _Plain()
        reader.feed(text)
        reader.close()
        return reader.whole()
    if kind == "text/plain":
        return "".join(f"<p>{escape(straight(line))}</p>" for line in text.splitlines() if line.strip())
    return ""
