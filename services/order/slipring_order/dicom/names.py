"""People's names between FHIR and DICOM: the three component groups of a person name, in any character set.

PS3.5 6.2.1.2: alphabetic=ideographic=phonetic, each family^given^middle^prefix^suffix. In FHIR the same name may come
several times, each marked with its representation (ABC, IDE, SYL) or known by its script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydicom.charset import python_encoding

from slipring_order.dicom.settings import UTF8

REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_GROUPS = ("ABC", "IDE", "SYL")
_GROUP_LENGTH = 64  # PS3.5 table 6.2-1, PN: characters of one component group
_GB2312 = "ISO 2022 IR 58"
_LEFT_OUT = frozenset({"old", "nickname", "anonymous", "maiden"})
_IDEOGRAPHIC = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\^=]")


def person_name(names: Sequence[Mapping[str, Any]]) -> str:
    """A DICOM person name made of FHIR names; empty when there is none.

    A name that is only ideographic stands in the first group: a console shows that one, and it may be written there.

    >>> person_name([{"family": "王", "given": ["芳"]}])
    '王^芳'
    >>> person_name([{"family": "王", "given": ["芳"]}, {"family": "Wang", "given": ["Fang"]}])
    'Wang^Fang=王^芳'
    >>> person_name([{"text": "A=B^C"}])
    'A B C'
    """
    groups: dict[str, str] = {}
    current = [name for name in names if name.get("use") not in _LEFT_OUT]
    for name in sorted(current, key=lambda name: name.get("use") != "official"):
        written = _group(name)
        if written:
            groups.setdefault(_representation(name, written), written)
    alphabetic, ideographic, phonetic = (groups.get(one, "") for one in _GROUPS)
    if not alphabetic:
        alphabetic, ideographic = ideographic, ""
    return "=".join([alphabetic, ideographic, phonetic]).rstrip("=")


def human_names(written: str) -> list[dict[str, Any]]:
    """The FHIR names of a DICOM person name, one per component group.

    >>> human_names("Wang^Fang=王^芳")[1]["family"]
    '王'
    >>> human_names("")
    []
    """
    found = []
    groups = written.split("=")[:3]
    for representation, group in zip(_GROUPS, groups, strict=False):
        family, given, middle, prefix, suffix = [part.strip() for part in [*group.split("^"), "", "", "", "", ""][:5]]
        name: dict[str, Any] = {"family": family, "given": [one for one in (given, middle) if one]}
        name |= {"prefix": [prefix] if prefix else [], "suffix": [suffix] if suffix else []}
        name = {member: value for member, value in name.items() if value}
        if name and len([one for one in groups if one.strip("^ ")]) > 1:
            name["extension"] = [{"url": REPRESENTATION, "valueCode": representation}]
        found += [name] if name else []
    return found


def answer_set(texts: Iterable[str], asked: Sequence[str], configured: str) -> str:
    """The character set of an answer: as configured for the peer, else as asked for, else Unicode.

    A set that cannot write all of these texts is passed over: a name is never sent with question marks in it. Whoever
    asks in GB2312 by code extensions (ISO 2022 IR 58) reads GB18030, which holds the same signs without escapes.

    >>> answer_set(["王"], ["ISO_IR 100"], ""), answer_set(["王"], ["", "ISO 2022 IR 58"], ""), answer_set(["Li"], [], "")
    ('ISO_IR 192', 'GB18030', '')
    """
    signs = set("".join(texts))
    wanted = ["GB18030"] if _GB2312 in asked else [one for one in asked if one] if len(asked) == 1 else []
    wanted = [configured, *wanted] if configured else wanted
    if not wanted and all(sign.isascii() for sign in signs):
        return ""
    return next((one for one in wanted if one in python_encoding and _writes(one, signs)), UTF8)


def one_line(text: str, most: int) -> str:
    """A text as a short DICOM value: no control characters, no backslash, no longer than its representation allows."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\\]", " ", text).split())[:most].strip()


def _writes(character_set: str, signs: Iterable[str]) -> bool:
    try:
        "".join(signs).encode(python_encoding[character_set])
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _group(name: Mapping[str, Any]) -> str:
    components = [
        _clean(name.get("family")),
        *[_clean(given) for given in name.get("given", [])][:1],
    ]
    middle = " ".join(filter(None, (_clean(given) for given in name.get("given", [])[1:])))
    components += [""] * (2 - len(components)) + [middle]
    components += [" ".join(filter(None, map(_clean, name.get(part, [])))) for part in ("prefix", "suffix")]
    written = "^".join(components).rstrip("^")
    return (written or _clean(name.get("text")))[:_GROUP_LENGTH].rstrip("^ ")


def _representation(name: Mapping[str, Any], written: str) -> str:
    for extension in _extensions(name):
        if extension.get("url") == REPRESENTATION and extension.get("valueCode") in _GROUPS:
            return str(extension["valueCode"])
    return "IDE" if _IDEOGRAPHIC.search(written) else "ABC"


def _extensions(name: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from name.get("extension", [])


def _clean(text: Any) -> str:
    return " ".join(_FORBIDDEN.sub(" ", str(text or "")).split())
