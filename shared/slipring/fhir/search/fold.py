"""How text and codes are brought into the form that the search tables compare."""

from __future__ import annotations

import hashlib
import re
import unicodedata

PREFIX = 200  # characters of a folded string that the index holds
LONGEST = 255  # characters of a code, system or reference id; longer ones are kept as head and digest
_MARK = "Mn"

_LITERAL = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)
_VERSION = re.compile(r"/_history/[A-Za-z0-9\-.]{1,64}$", re.ASCII)


def folded(text: str) -> str:
    """Case, accents, width and runs of blanks do not count; Chinese characters stay as they are.

    >>> folded("  Müller-LÜDENSCHEIDT　ＣＴ 张伟")
    'muller-ludenscheidt ct 张伟'
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = "".join(letter for letter in decomposed if unicodedata.category(letter) != _MARK)
    return " ".join(text.casefold().split())


def bounded(text: str) -> str:
    """The text, or its head and digest when it is too long for an index entry."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:180]}#{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def reference_parts(reference: str) -> tuple[str, str] | None:
    """`(type, id)` of a relative reference, `('', url)` of any other; None for one into the resource itself.

    >>> reference_parts("Patient/o-1/_history/3"), reference_parts("http://his.example/Patient/1")
    (('Patient', 'o-1'), ('', 'http://his.example/Patient/1'))
    """
    literal = _LITERAL.fullmatch(reference)
    if literal:
        return literal[1], literal[2]
    if not reference or reference[0] == "#":
        return None
    return "", bounded(_VERSION.sub("", reference))


def type_in_url(url: str) -> str:
    """The resource type an absolute literal URL speaks of, '' when it does not say.

    >>> type_in_url("http://his.example/fhir/Patient/17")
    'Patient'
    """
    literal = _LITERAL.fullmatch("/".join(url.rsplit("/", 2)[-2:]))
    return literal[1] if literal else ""
