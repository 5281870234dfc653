"""Whether a record says that somebody has no uterus, so that pregnancy is not asked about; one answer for whoever asks. Pure."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


def uterus_removed(concept: Mapping[str, Any] | None) -> bool:
    """Whether a diagnosis or an operation (a CodeableConcept) says that the uterus was removed.

    >>> uterus_removed({"text": "全子宫切除术后"}), uterus_removed({"text": "子宫肌瘤切除术"}), uterus_removed({"text": "拟行全子宫切除"})
    (True, False, False)
    """
    table, codings = _data(), (concept or {}).get("coding", [])
    for coding in codings:
        system, code = str(coding.get("system", "")), str(coding.get("code", "")).upper()
        if "icd-9" in system and code.startswith(tuple(table["icd9"])):
            return True
        if "icd-10" in system and code.startswith(tuple(table["icd10"])):
            return True
        if system == "http://snomed.info/sct" and code in table["snomed"]:
            return True
    told = ((concept or {}).get("text"), *(coding.get("display") for coding in codings))
    said = [unicodedata.normalize("NFKC", str(text)).casefold() for text in told if text]
    return any(re.search(table["words"], text) and not re.search(table["unlike"], text) for text in said)


@cache
def _data() -> Mapping[str, Any]:
    with Path(__file__).with_name("child_bearing.toml").open("rb") as file:
        return tomllib.load(file)
