"""Narrative: the div of a resource's text must be plain XHTML that does nothing by itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.parsers import expat  # declarations and entities are refused at the parser, below

_XHTML = "http://www.w3.org/1999/xhtml"
_DATA_FILE = Path(__file__).parent / "narrative.toml"
_BLANK = re.compile(r"[\x00-\x20\xa0]+")

Fault = tuple[str, str, str]  # detail, English, Chinese

_NOT_XHTML: Fault = ("xhtml", "must be well-formed XHTML without declarations", "应为格式正确且不含声明的 XHTML")
_NOT_DIV: Fault = ("xhtml", f"must be one div in the namespace {_XHTML}", f"应为命名空间 {_XHTML} 下的一个 div")
_ACTIVE: Fault = (
    "script",
    "must not hold anything active, such as script, handlers or frames",
    "不得含脚本、事件处理或框架等活动内容",
)


class _Refused(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault[0])
        self.fault = fault


@cache
def _allowed() -> tuple[frozenset[str], tuple[str, ...]]:
    data = tomllib.loads(_DATA_FILE.read_text(encoding="utf-8"))
    return frozenset(data["elements"]), tuple(data["forbidden_in_attributes"])


class _Reading:
    """One pass over a div: refuses at the first element or attribute that may not be."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements, self.forbidden = _allowed()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if self.depth == 0 and (namespace != _XHTML or tag != "div"):
            raise _Refused(_NOT_DIV)
        self.depth += 1
        if namespace != _XHTML or tag not in self.elements:
            raise _Refused(_ACTIVE)
        for key, value in attributes.items():
            if key.rpartition(" ")[2].lower().startswith("on"):
                raise _Refused(_ACTIVE)
            # Browsers skip blanks and control characters inside a scheme, so they are skipped here too.
            plain = _BLANK.sub("", value).lower()
            if any(part in plain for part in self.forbidden):
                raise _Refused(_ACTIVE)

    def end(self, _: str) -> None:
        self.depth -= 1


def _declaration(*_: Any) -> None:
    raise _Refused(_NOT_XHTML)


def fault(div: str) -> Fault | None:
    """What is wrong with a div, or None."""
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.StartDoctypeDeclHandler = _declaration
    parser.EntityDeclHandler = _declaration
    parser.ProcessingInstructionHandler = _declaration
    try:
        parser.Parse(div, True)
    except _Refused as refused:
        return refused.fault
    except (expat.ExpatError, UnicodeEncodeError):
        return _NOT_XHTML
    return None
