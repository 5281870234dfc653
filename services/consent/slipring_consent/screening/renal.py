"""Estimated glomerular filtration rate from a creatinine: CKD-EPI for adults, revised bedside Schwartz for children. Pure.

Formulae and their sources are data (`data/renal.toml`). Results are ml/min/1.73 m2 to one decimal: a whole number, as
laboratories print it, could round 29.6 up to a limit of 30.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from slipring_consent.catalogue import data_file

_DOTS = str.maketrans(dict.fromkeys("·•⋅∙", "."))  # how "times" is written in units
FEMALE, MALE = "female", "male"


def ckd_epi(formula: str, creatinine_umol_l: Decimal, age_years: int, sex: str) -> Decimal:
    """CKD-EPI for an adult: f x min(Scr/kappa, 1)^alpha x max(Scr/kappa, 1)^steep x ageing^age; `sex` is female or male."""
    terms = _renal()["formula"][formula]
    of_sex = terms[sex]
    ratio = float(in_mg_dl(creatinine_umol_l)) / of_sex["kappa_mg_dl"]
    value = terms["factor"] * of_sex["times"] * terms["ageing"] ** age_years
    return _rounded(value * min(ratio, 1.0) ** of_sex["alpha"] * max(ratio, 1.0) ** terms["steep"])


def schwartz(creatinine_umol_l: Decimal, height_cm: Decimal) -> Decimal:
    """Revised bedside Schwartz for a child: 0.413 x height / Scr."""
    k = _renal()["formula"]["schwartz-2009"]["k"]
    return _rounded(k * float(height_cm) / float(in_mg_dl(creatinine_umol_l)))


def is_adult(age_years: int) -> bool:
    """Whether the formula of adults holds at this age."""
    return bool(age_years >= _renal()["adult_years"])


def holds_at(formula: str, age_years: int) -> bool:
    """Whether a formula holds at this age; one that is not known here (`reported`) does not say."""
    terms = _renal()["formula"].get(formula, {})
    return bool(terms.get("from_years", 0) <= age_years < terms.get("below_years", 200))


def in_mg_dl(creatinine_umol_l: Decimal) -> Decimal:
    """Creatinine by mass."""
    return creatinine_umol_l / Decimal(str(_renal()["creatinine"]["umol_l_per_mg_dl"]))


def creatinine_umol_l(value: Decimal, unit: str) -> Decimal | None:
    """A creatinine in umol/l; None for a unit that is none, or a value that no person has."""
    found = _in_unit("creatinine", value, unit)
    low, high = _renal()["creatinine"]["plausible_umol_l"]
    return found if found is not None and low <= found <= high else None


def egfr_ml_min(value: Decimal, unit: str) -> Decimal | None:
    """A reported eGFR in ml/min/1.73 m2; None for a unit that is none, or a value that is no rate."""
    found = _in_unit("egfr", value, unit)
    return found if found is not None and 0 <= found <= 400 else None


def height_cm(value: Decimal, unit: str) -> Decimal | None:
    """A height in cm; None for a unit that is none, or a height that no person has."""
    found = _in_unit("height", value, unit)
    low, high = _renal()["height"]["plausible_cm"]
    return found if found is not None and low <= found <= high else None


def _in_unit(kind: str, value: Decimal, unit: str) -> Decimal | None:
    times = _renal()[kind]["units"].get(spelled(unit))
    return None if times is None else value * Decimal(str(times))


def spelled(unit: str) -> str:
    """A unit as the table spells it: lower case, u for micro, no blanks, 2 for a raised 2."""
    plain = re.sub(r"\s+", "", unit).replace("²", "2").replace("^2", "2")
    return (
        re.sub("[\u00b5\u03bc]|mc(?=g/)|mc(?=mol)", "u", plain)
        .lower()
        .replace("×", "")
        .translate(_DOTS)
        .replace("㎡", "m2")
    )


def _rounded(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _renal() -> dict[str, Any]:
    return data_file("renal.toml")
