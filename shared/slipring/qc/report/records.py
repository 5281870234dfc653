"""Reports as JSON records, in and out; what is wrong in a record is told by its member."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from slipring.qc.report.facts import SECTIONS, Checked, ReportText

_SEX = {"m": "male", "male": "male", "男": "male", "f": "female", "female": "female", "女": "female"}

_SIDE = {
    "left": "left", "l": "left", "左": "left", "左侧": "left", "right": "right", "r": "right", "右": "right", "右侧": "right",
    "both": "bilateral", "b": "bilateral", "bilateral": "bilateral", "双": "bilateral", "双侧": "bilateral",
}  # fmt: skip
_LANGUAGES = {
    "zh": "zh", "zho": "zh", "chi": "zh", "cn": "zh", "cmn": "zh", "chinese": "zh", "中文": "zh", "汉语": "zh",
    "en": "en", "eng": "en", "english": "en", "英文": "en", "英语": "en",
    "mul": "", "und": "", "mixed": "", "unknown": "",
}  # fmt: skip
_YES_OR_NO = {
    "yes": True, "true": True, "with": True, "iv": True, "enhanced": True, "增强": True, "是": True, "有": True,
    "no": False, "false": False, "none": False, "without": False, "plain": False, "平扫": False, "否": False, "无": False,
}  # fmt: skip
_LISTED = re.compile(r"\s*[,;，；、]\s*")
_AGE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(y|m|w|d|years?|months?|weeks?|days?|岁|月|个月|周|天)?")
_PER_YEAR = {("y", "year", "years", "岁"): 1.0, ("m", "month", "months", "月", "个月"): 12.0, ("w", "week", "weeks", "周"): 52.18,
             ("d", "day", "days", "天"): 365.25}  # fmt: skip


class RecordRefused(ValueError):
    """A record that cannot be read: which member, and why."""

    def __init__(self, element: str, why: str) -> None:
        super().__init__(f"{element}: {why}")
        self.element, self.why = element, why


def read_record(line: str) -> tuple[Any, ReportText]:
    """The id and the report of one line; members that are missing or null are unknown.

    Raises RecordRefused for text that is no JSON object and for members of the wrong type.
    """
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as problem:
        raise RecordRefused("record", f"not JSON ({problem})") from problem
    except ValueError as problem:
        raise RecordRefused("record", "not JSON (a number of too many digits)") from problem
    if not isinstance(record, dict):
        raise RecordRefused("record", "must be a JSON object")
    identity = record.get("id")
    if not isinstance(identity, str | int | float | None) or isinstance(identity, bool) or not _finite(identity):
        raise RecordRefused("id", "must be a string or a number")
    patient, exam, sections = (_object(record, name) for name in ("patient", "exam", "sections"))
    return identity, ReportText(
        sections={name: _text(sections, name, "sections") for name in SECTIONS},
        lang=_language(record),
        sex=_SEX.get(_text(patient, "sex", "patient").strip().lower(), ""),
        age_years=_age(patient),
        removed_organs=_texts(patient, "removed_organs", "patient"),
        body_part=", ".join(_texts(exam, "body_part", "exam")),
        laterality=_SIDE.get(_text(exam, "laterality", "exam").strip().lower(), ""),
        contrast=_flag(exam, "contrast", "exam"),
        priors=_count(exam, "priors", "exam"),
    )


def as_record(identity: Any, answer: Checked) -> str:
    """The answer for one report as one line of JSON."""
    told = {
        "id": identity,
        "critical": [{"code": one.code, "certainty": one.certainty} for one in answer.critical],
        "checks": [
            {"check": one.check, "section": one.section, "start": one.start, "end": one.end} for one in answer.faults
        ],
    }
    line = json.dumps(told, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:  # an id of half a character pair is given back as it was written
        return json.dumps(told)
    return line


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RecordRefused(name, "must be an object")
    return value


def _text(holder: dict[str, Any], name: str, within: str = "") -> str:
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordRefused(f"{within}.{name}".lstrip("."), "must be a string")
    return value


def _language(record: dict[str, Any]) -> str:
    """zh or en, as tags with a region and people write them; a text in a language of which we have no words is not answered."""
    told = _text(record, "lang").strip().lower()
    if not told:
        return ""
    try:
        return _LANGUAGES[re.split(r"[\W_]", told)[0]]
    except KeyError as unread:
        raise RecordRefused("lang", "must be zh or en") from unread


def _texts(holder: dict[str, Any], name: str, within: str) -> tuple[str, ...]:
    value = holder.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(each for each in _LISTED.split(value.strip()) if each)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise RecordRefused(f"{within}.{name}", "must be a string or a list of strings")
    return tuple(value)


def _number(holder: dict[str, Any], name: str, within: str) -> float | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise RecordRefused(f"{within}.{name}", "must be a number")
    return float(value)


def _finite(value: Any) -> bool:
    """Whether it is no number or one that can be reckoned with: not NaN, not without end, not beyond every float."""
    try:
        return not isinstance(value, int | float) or math.isfinite(value)
    except OverflowError:
        return False


def _age(patient: dict[str, Any]) -> float | None:
    """Years, as a number or as DICOM (AS: 061Y, 006M) and people write them."""
    value = patient.get("age")
    told = _AGE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if told is None:
        years = _number(patient, "age", "patient")
        if years is not None and years < 0:
            raise RecordRefused("patient.age", "must be 0 or more")
        return years
    return float(told[1]) / next((per for unit, per in _PER_YEAR.items() if (told[2] or "y") in unit), 1.0)


def _count(holder: dict[str, Any], name: str, within: str) -> int:
    value = holder.get(name)
    if isinstance(value, list | bool):
        return len(value) if isinstance(value, list) else int(value)
    number = _number(holder, name, within) or 0
    if number < 0:
        raise RecordRefused(f"{within}.{name}", "must be 0 or more")
    return int(number)


def _flag(holder: dict[str, Any], name: str, within: str) -> bool | None:
    value = holder.get(name)
    if isinstance(value, str):
        value = _YES_OR_NO.get(value.strip().lower())  # how contrast was given is no matter of the words
    if value is not None and not isinstance(value, bool):
        raise RecordRefused(f"{within}.{name}", "must be true or false")
    return value
