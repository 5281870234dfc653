"""Units as scanners write them, turned into the fixed ones: mGy, mGy.cm, mSv, mm, s, kV, mA; exact decimals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal


class UnknownUnit(ValueError):
    """The unit is not one of the wanted quantity; the message names it."""


def _scaled(**units: str) -> Mapping[str, Decimal]:
    return {name: Decimal(factor) for name, factor in units.items()}


# Wanted unit -> spelling without dots, blanks and case -> how many of the wanted unit one of it is.
_SCALES: Mapping[str, Mapping[str, Decimal]] = {
    "mGy": _scaled(mgy="1", ugy="0.001", cgy="10", dgy="100", gy="1000", rad="10", mrad="0.01"),
    "mGy.cm": _scaled(
        mgycm="1", ugycm="0.001", cgycm="10", dgycm="100", gycm="1000", mgymm="0.1", gymm="100", mgym="100", ugym="0.1",
        gym="100000", cmmgy="1", mgyxcm="1",
    ),
    "mSv": _scaled(msv="1", usv="0.001", sv="1000"),
    "mSv/mGy.cm": _scaled(**{"msv/mgycm": "1", "msv/mgyxcm": "1", "msvmgy1cm1": "1"}),
    "mm": _scaled(mm="1", cm="10", m="1000"),
    "s": _scaled(s="1", sec="1", ms="0.001", msec="0.001", us="0.000001", min="60"),
    "kV": _scaled(kv="1", kvp="1", v="0.001"),
    "mA": _scaled(ma="1", a="1000", ua="0.001"),
    "1": _scaled(**{"1": "1", "ratio": "1", "no": "1", "nounits": "1"}),
}  # fmt: skip


def converted(value: Decimal, written: str, wanted: str) -> Decimal:
    """The value in the wanted unit; a unit that is not said is the one that the template asks for."""
    scales = _SCALES[wanted]
    spelling = _spelling(written)
    if not spelling:
        return value
    if spelling not in scales:
        raise UnknownUnit(f"the unit {written!r} is not {wanted}")
    factor = scales[spelling]
    return value if factor == 1 else value * factor


def _spelling(written: str) -> str:
    """`mGy.cm`, `mGy*cm`, `mGycm`, `mGy·cm`, `{mGy}.cm` are one spelling; so are the two signs for micro."""
    plain = unicodedata.normalize("NFKC", written).replace("μ", "u").replace("µ", "u")
    return re.sub(r"[^a-z0-9/]", "", plain.lower())
