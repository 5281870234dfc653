"""Names of people in forms that compare: after normalisation, never by similarity."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]")


def forms(parts: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The Han and the Latin forms of a name given as family name and given names.

    Latin names are compared in both orders, because families write them first or last.

    >>> forms(["张", "三"])
    (frozenset({'张三'}), frozenset())
    >>> forms(["Lyu", "Mei"])[1] & forms(["LV", "MEI"])[1] & forms(["Lü", "Mei"])[1] >= {"lvmei"}
    True
    >>> forms(["LV", "MEI"])[1] & forms(["LU", "MEI"])[1]
    frozenset()
    >>> sorted(forms(["Zhang", "San Feng"])[1]), sorted(forms(["ZHANG SANFENG"])[1])
    (['sanfengzhang', 'zhangsanfeng'], ['sanfengzhang', 'zhangsanfeng'])
    """
    plain = [_plain(part) for part in parts]
    if any(_HAN.search(part) for part in plain):
        return frozenset({"".join("".join(plain).split())}), frozenset()
    return frozenset(), frozenset([*_latin(parts), *_latin([_with_v(part) for part in parts])])


def _latin(parts: Sequence[str]) -> Iterator[str]:
    words = [word for part in parts for word in _plain(part).split()]
    if words:
        family, *given = words
        yield from ("".join([family, *given]), "".join([*given, family]))


def _with_v(text: str) -> str:
    """The syllables lü and nü as they are typed, lv and nv; passports have lyu and nyu."""
    return re.sub(r"([ln])(?:ü|yu)", r"\1v", unicodedata.normalize("NFKC", text).casefold())


def together(names: Iterable[Sequence[str]]) -> tuple[frozenset[str], frozenset[str]]:
    """The forms of several names of one person."""
    found = [forms(parts) for parts in names]
    return frozenset().union(*(han for han, _ in found)), frozenset().union(*(latin for _, latin in found))


def _plain(text: str) -> str:
    """Width, case and accents away; whatever separates becomes a blank."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^\w]+|_", " ", bare.casefold()).strip()
