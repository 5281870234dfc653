"""In which language a page speaks: chosen by the viewer and kept, else as the browser asks; with its catalogue."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

LANGUAGES = {"zh-CN": "中文", "en": "English"}
DEFAULT = "zh-CN"
CHOICE_COOKIE = "slipring-language"


def language_of(request: Request) -> str:
    """The language chosen on an earlier page, else the first that Accept-Language names and we speak, else Chinese."""
    chosen = request.cookies.get(CHOICE_COOKIE, "")
    return chosen if chosen in LANGUAGES else asked_for(request.headers.get("accept-language", ""))


def asked_for(accept: str) -> str:
    """The best of our languages for an Accept-Language header (RFC 9110, 12.5.4).

    >>> asked_for("de, en-GB;q=0.8, zh;q=0.5"), asked_for("zh;q=0.1, en;q=0"), asked_for("")
    ('en', 'zh-CN', 'zh-CN')
    """
    best, weight = DEFAULT, 0.0
    for part in accept.split(","):
        tag, _, quality = part.partition(";")
        given = _quality(quality)
        for code in LANGUAGES:
            if tag.strip().lower().partition("-")[0] == code.partition("-")[0].lower() and given > weight:
                best, weight = code, given
    return best


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return min(float(value), 1.0) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


@cache
def catalogue(language: str, rooms: tuple[str, ...]) -> NullTranslations:
    """The messages of these packages in one language; English is the language they are written in."""
    if language == "en":
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, _together(language, rooms))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _together(language: str, rooms: Iterable[str]) -> Catalog:
    locale = language.replace("-", "_")
    whole = Catalog(locale=locale)
    for room in rooms:
        file = resources.files(room).joinpath("locale", f"{locale}.po")
        for message in read_po(io.BytesIO(file.read_bytes()), locale=locale):
            if message.id:
                whole[message.id] = message  # keyed by its context too: rooms may mean different things by one word
    return whole


def said(pair: Sequence[str], language: str) -> str:
    """The Chinese or the English half of a pair (zh, en)."""
    return pair[1] if language == "en" else pair[0]
