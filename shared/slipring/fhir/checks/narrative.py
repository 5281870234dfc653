"""Narrative: the div of a resource's text must be plain XHTML that does nothing by itself."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.parsers import expat  # declarations and entities are refused at the parser, below

_XHTML = "http://www.w3.org/1999/xhtml"
_XML = "http://www.w3.org/XML/1998/namespace"
_DATA_FILE = Path(__file__).parent / "narrative.toml"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):")

Fault = tuple[str, str, str]  # detail, English, Chinese

_NOT_XHTML: Fault = ("xhtml", "must be well-formed XHTML without declarations", "应为格式正确且不含声明的 XHTML")
_NOT_DIV: Fault = ("xhtml", f"must be one div in the namespace {_XHTML}", f"应为命名空间 {_XHTML} 下的一个 div")
_NOT_FORMATTING: Fault = ("xhtml", "must hold attributes of formatting only", "只能含排版属性")
_ACTIVE: Fault = (
    "script",
    "must not hold anything active, such as script, handlers or frames",
    "不得含脚本、事件处理或框架等活动内容",
)


class _Refused(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault[0])
        self.fault = fault


@dataclass(frozen=True)
class _Allowed:
    """The lists of the data file."""

    elements: frozenset[str]
    attributes: frozenset[str]
    xml_attributes: frozenset[str]
    addresses: frozenset[str]
    schemes: frozenset[str]
    images: tuple[str, ...]
    forbidden_in_styles: tuple[str, ...]
    forbidden_in_attributes: tuple[str, ...]


@cache
def _allowed() -> _Allowed:
    data = tomllib.loads(_DATA_FILE.read_text(encoding="utf-8"))
    return _Allowed(
        elements=frozenset(data["elements"]),
        attributes=frozenset(data["attributes"]),
        xml_attributes=frozenset(data["xml_attributes"]),
        addresses=frozenset(data["addresses"]),
        schemes=frozenset(data["schemes"]),
        images=tuple(data["images"]),
        forbidden_in_styles=tuple(data["forbidden_in_styles"]),
        forbidden_in_attributes=tuple(data["forbidden_in_attributes"]),
    )


def _plain(value: str) -> str:
    """A value as the most forgiving reader takes it: compatibility forms folded, nothing invisible, lower case."""
    folded = unicodedata.normalize("NFKC", value)
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "ZC").lower()


class _Reading:
    """One pass over a div: refuses at the first element or attribute that may not be."""

    def __init__(self) -> None:
        self.depth = 0
        self.allowed = _allowed()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if self.depth == 0 and (namespace != _XHTML or tag != "div"):
            raise _Refused(_NOT_DIV)
        self.depth += 1
        if namespace != _XHTML or tag not in self.allowed.elements:
            raise _Refused(_ACTIVE)
        for key, value in attributes.items():
            self.attribute(tag, key, value)

    def attribute(self, tag: str, key: str, value: str) -> None:
        allowed = self.allowed
        namespace, _, name = key.rpartition(" ")
        plain = value if value.isascii() and value.isalnum() else _plain(value)
        if name.lower().startswith("on") or any(part in plain for part in allowed.forbidden_in_attributes):
            raise _Refused(_ACTIVE)
        if namespace and (namespace != _XML or name not in allowed.xml_attributes):
            raise _Refused(_ACTIVE)
        if not namespace and name not in allowed.attributes:
            raise _Refused(_NOT_FORMATTING)
        if name == "style" and any(part in plain for part in allowed.forbidden_in_styles):
            raise _Refused(_ACTIVE)
        if name in allowed.addresses and not self.leads_somewhere(tag, plain):
            raise _Refused(_ACTIVE)

    def leads_somewhere(self, tag: str, plain: str) -> bool:
        """Whether an address may be followed: by its scheme, or an image that is held here."""
        scheme = _SCHEME.match(plain)
        if scheme is None or scheme[1] in self.allowed.schemes:
            return True
        return tag == "img" and plain.startswith(self.allowed.images)

    def end(self, _: str) -> None:
        self.depth -= 1

    def comment(self, text: str) -> None:
        """Readers of HTML end a comment elsewhere than XML does; one that holds markup could come alive there."""
        if "<" in text or ">" in text or "--" in text:
            raise _Refused(_ACTIVE)


def _declaration(*_: Any) -> None:
    raise _Refused(_NOT_XHTML)


def fault(div: str) -> Fault | None:
    """What is wrong with a div, or None."""
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CommentHandler = reading.comment
    parser.XmlDeclHandler = _declaration
    parser.StartDoctypeDeclHandler = _declaration
    parser.EntityDeclHandler = _declaration
    parser.ProcessingInstructionHandler = _declaration
    # HTML knows no CDATA here: it would read what stands inside as markup.
    parser.StartCdataSectionHandler = _declaration
    try:
        parser.Parse(div, True)
    except _Refused as refused:
        return refused.fault
    except (expat.ExpatError, UnicodeEncodeError):
        return _NOT_XHTML
    return None
