"""The report as a person reads it: HTML made from the signed content, with everything escaped."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource
from slipring.printing.own_direction import straight

from slipring_report.rendering.frame import Frame

HTML, PDF = "text/html; charset=utf-8", "application/pdf"
_LOINC = "http://loinc.org"
_BREAKS = frozenset({"p", "div", "br", "li", "tr"})


class _Words(HTMLParser):
    """Takes the words out of a narrative: its markup never reaches the rendering."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """Keep line breaks."""
        if tag in _BREAKS:
            self.words.append("\n")


def rendering(
    report: Resource, composition: Resource | None, observations: Sequence[Resource], digest: str, frame: Frame
) -> bytes:
    """The whole report as an HTML page for screen and paper; `digest` is the SHA-256 of the signed form it was made from."""
    body = "".join(
        [
            f'<div class="person">{_pairs(frame.person)}</div>',
            f'<p class="department">{escape(frame.department)}</p>' if frame.department else "",
            f"<h1>{_label('report')}</h1>",
            *(f'<p class="standing">{escape(line)}</p>' for line in frame.standing),
            f'<p class="exam">{_pairs((("examination", _words_of(report.get("code"))), *frame.exam))}</p>',
            *(_section(section) for section in (composition or {}).get("section", [])),
            _block(_label("conclusion"), report.get("conclusion", "")),
            _results(observations),
            _signatures(frame),
            f'<p class="digest">{_label("signed-content")}: {digest}</p>',
        ]
    )
    return _page(body)


def sheet(section: str, frame: Frame, rows: Sequence[tuple[str, str]]) -> bytes:
    """A sheet of its own beside a report, headed as this LOINC section: whose it is, of which exam, and labelled lines."""
    known = _texts()["section"][section]
    lines = "".join(
        f"<tr><th>{_label(label)}</th><td><bdi>{escape(straight(text))}</bdi></td></tr>" for label, text in rows if text
    )
    body = "".join(
        [
            f'<div class="person">{_pairs(frame.person)}</div>',
            f'<p class="department">{escape(frame.department)}</p>' if frame.department else "",
            f"<h1>{escape(known['zh'])} {escape(known['en'])}</h1>",
            f'<p class="exam">{_pairs(frame.exam)}</p>',
            f'<table class="signatures">{lines}</table>',
        ]
    )
    return _page(body)


def _page(body: str) -> bytes:
    head = f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>CT</title><style>{_style()}</style></head>'
    return f"{head}<body>{body}</body></html>".encode()


def as_attachment(content: bytes, content_type: str = HTML, **members: Any) -> Resource:
    """An Attachment with size and hash (SHA-1, as FHIR R4 defines `hash`)."""
    digest = hashlib.sha1(content, usedforsecurity=False).digest()
    return {
        "contentType": content_type,
        "language": "zh-CN",
        "data": base64.b64encode(content).decode(),
        "size": len(content),
        "hash": base64.b64encode(digest).decode(),
        **members,
    }


def intact(attachment: Resource) -> bool:
    """Whether an Attachment's data still fits its size and hash."""
    content = base64.b64decode(attachment.get("data", ""))
    return as_attachment(content) == {**as_attachment(content), **{k: attachment.get(k) for k in ("size", "hash")}}


def _section(section: Resource) -> str:
    known = _texts()["section"]
    codes = [c.get("code") for c in section.get("code", {}).get("coding", []) if c.get("system") == _LOINC]
    heading = next((f"{known[code]['zh']} {known[code]['en']}" for code in codes if code in known), "")
    title = heading or section.get("title") or _words_of(section.get("code"))
    inner = "".join(_section(each) for each in section.get("section", []))
    return _block(escape(title), plain(section.get("text", {}).get("div", ""))) + inner


def _results(observations: Sequence[Resource]) -> str:
    rows = "".join(f"<li>{escape(_words_of(each.get('code')))}: {escape(_value(each))}</li>" for each in observations)
    return f"<h2>{_label('results')}</h2><ul>{rows}</ul>" if rows else ""


def _value(observation: Resource) -> str:
    quantity = observation.get("valueQuantity")
    if quantity:
        return f"{quantity.get('comparator', '')}{quantity.get('value', '')} {quantity.get('unit', '')}".strip()
    if "valueCodeableConcept" in observation:
        return _words_of(observation["valueCodeableConcept"])
    return str(observation.get("valueString", ""))


def _block(heading: str, text: str) -> str:
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in _lines(text))
    return f"<h2>{heading}</h2>{paragraphs}" if paragraphs else ""


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return " &nbsp; ".join(
        f"<span><b>{_label(label)}</b>: <bdi>{escape(straight(text))}</bdi></span>" for label, text in pairs if text
    )


def _signatures(frame: Frame) -> str:
    rows = "".join(
        f"<tr><th>{_label(role)}</th><td><bdi>{escape(straight(name))}</bdi></td><td>{escape(title)}</td><td>{escape(at)}</td></tr>"
        for role, name, title, at in frame.signatures
    )
    return f'<table class="signatures">{rows}</table>' if rows else ""


def _lines(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.splitlines() if line.strip())


def plain(div: str) -> str:
    """The words of a narrative, without its markup."""
    reader = _Words()
    reader.feed(div)
    reader.close()
    return "".join(reader.words)


def _words_of(concept: Any) -> str:
    concept = concept or {}
    displays = [coding.get("display") or coding.get("code", "") for coding in concept.get("coding", [])]
    return str(concept.get("text") or next(iter(displays), ""))


def _label(name: str) -> str:
    entry = _texts()["label"][name]
    return escape(f"{entry['zh']} {entry['en']}")


@cache
def _texts() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "sections.toml").read_text("utf-8"))


@cache
def _style() -> str:
    return (Path(__file__).parents[1] / "data" / "sheet.css").read_text("utf-8")
