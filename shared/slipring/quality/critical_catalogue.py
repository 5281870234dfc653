"""The department's own additions to the catalogue of critical findings: a PlanDefinition that two people stand for. Pure.

A PlanDefinition and not a CodeSystem supplement: a supplement adds names to the codes of a system and can neither add a code nor
say how urgent one is. It lies over the shipped union of CL02-A011:5.9.1 b and the national list, so that nothing of that can be
lost: an edition may add entries, raise a level and add synonyms. `type` critical-catalogue; each `action` an entry: `code[0]` its code
and, beside it, ICD-10; further `code.text` its synonyms; `priority` its level (stat 1, urgent 2, routine 3); `title` its Chinese and
`textEquivalent` its English name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from slipring.clauses.critical_findings import CriticalFinding, critical_finding, critical_findings
from slipring.fhir.outcome import Issue
from slipring.fhir.search.moment import interval
from slipring.fhir.service import CANONICAL, Resource, Stored

FINDING = f"{CANONICAL}/CodeSystem/critical-finding"
PLAN_TYPE = f"{CANONICAL}/CodeSystem/plan-type"
CATALOGUE = "critical-catalogue"
IN_FORCE = f"PlanDefinition?status=active&type={PLAN_TYPE}|{CATALOGUE}"
LEVELS: Mapping[str, int] = {"stat": 1, "urgent": 2, "routine": 3}
ICD10 = "http://hl7.org/fhir/sid/icd-10"
_CODE = re.compile(r"[A-Z][A-Za-z0-9.\-]{1,31}", re.ASCII)
_SHORTEST_WORD = 2  # one letter would be found in every sentence
_OURS = "CV-CT-"  # codes of the shipped list begin so


def catalogue(editions: Iterable[Stored], now: datetime) -> Mapping[str, CriticalFinding]:
    """The shipped union with what the department's edition in force adds; without one, the union alone."""
    edition = in_force(editions, now)
    own = {code: _laid_over(code, action) for code, action in _entries(edition)} if edition else {}
    return {**critical_findings(), **own}


def in_force(editions: Iterable[Stored], now: datetime) -> Resource | None:
    """The edition that began last; None when none has begun."""
    begun = [
        (period.low, one.updated_at, one.resource)
        for one in editions
        if one.resource.get("status") == "active"
        and (period := interval(str(one.resource.get("effectivePeriod", {}).get("start", ""))))
        and period.low <= now
    ]
    return max(begun, key=lambda one: one[:2])[2] if begun else None


def faults(plan: Resource, before: Resource | None = None) -> Iterator[Issue]:
    """What is wrong with an edition, each fault at its element; `before`: the one in force, whose entries are not lost silently."""
    seen: set[str] = set()
    if not plan.get("action"):
        yield _fault("action", "entries", "目录至少新增或修改一项。", "It adds or changes at least one entry.")
    for place, action in enumerate(plan.get("action", [])):
        at, code = f"action[{place}]", _code_of(action)
        if not _CODE.fullmatch(code) or (code.startswith(_OURS) and critical_finding(code) is None):
            yield _fault(
                f"{at}.code", "code", f"须给出危急值代码；新增代码不得以 {_OURS} 开头。",
                f"It gives the code of a critical finding; a new one does not begin with {_OURS}.",
            )  # fmt: skip
        elif code in seen:
            yield _fault(f"{at}.code", "twice", "同一代码出现两次。", "The same code stands here twice.")
        seen.add(code)
        yield from _wrong_entry(action, code, at)
    kept = {code for code, _ in _entries(before)} if before else set()
    if (lost := sorted(kept - seen)) and not str(plan.get("purpose", "")).strip():
        listed = ", ".join(lost)
        yield _fault(
            "purpose", "dropped", f"缺少现行目录中的 {listed}：请保留，或在 purpose 中说明删除理由。",
            f"{listed} of the catalogue in force is left out: keep it, or say why in purpose.",
        )  # fmt: skip


def own_words(plan: Resource | None) -> Mapping[str, tuple[str, ...]]:
    """By what words a report may name the findings of an edition, by code: synonyms, and the names of what it adds."""
    found = {}
    for code, action in _entries(plan):
        named = [] if critical_finding(code) else [str(action["title"]), str(action["textEquivalent"])]
        said = [word.strip() for word in (*named, *synonyms(plan)[code])]
        found[code] = tuple(word for word in said if len(word) >= _SHORTEST_WORD)
    return {code: said for code, said in found.items() if said}


def synonyms(plan: Resource | None) -> Mapping[str, tuple[str, ...]]:
    """The synonyms that an edition adds, by code."""
    return {code: tuple(one["text"] for one in action["code"][1:]) for code, action in _entries(plan)} if plan else {}


def _wrong_entry(action: Mapping[str, Any], code: str, at: str) -> Iterator[Issue]:
    shipped, level = critical_finding(code), LEVELS.get(str(action.get("priority", "")))
    if level is None and (shipped is None or "priority" in action):
        yield _fault(
            f"{at}.priority",
            "level",
            "须给出级别：stat、urgent 或 routine。",
            "It gives a level: stat, urgent or routine.",
        )
    elif shipped is not None and level is not None and level > shipped.level:
        yield _fault(
            f"{at}.priority", "lowered", f"不得低于内置目录的 {shipped.level} 级。",
            f"It may not be lower than level {shipped.level} of the shipped list.",
        )  # fmt: skip
    for member in ("title", "textEquivalent"):
        if shipped is None and not str(action.get(member, "")).strip():
            yield _fault(f"{at}.{member}", "name", "新增项须有中文名（title）和英文名（textEquivalent）。",
                         "A new entry has a Chinese name (title) and an English one (textEquivalent).")  # fmt: skip
    for place, one in enumerate(action.get("code", [])[1:], start=1):
        if len(str(one.get("text", "")).strip()) < _SHORTEST_WORD:
            yield _fault(
                f"{at}.code[{place}].text", "synonym", "同义词须为文字，至少两个字符。",
                "A synonym is a text of at least two characters.",
            )  # fmt: skip


def _laid_over(code: str, action: Mapping[str, Any]) -> CriticalFinding:
    shipped = critical_finding(code)
    coded = [str(one["code"]) for one in action["code"][0]["coding"] if one.get("system") == ICD10 and "code" in one]
    level = LEVELS.get(str(action.get("priority", "")), shipped.level if shipped else 1)
    return CriticalFinding(
        code=code,
        zh=shipped.zh if shipped else str(action["title"]),
        en=shipped.en if shipped else str(action["textEquivalent"]),
        a011=bool(shipped and shipped.a011),
        national=bool(shipped and shipped.national),
        icd10=tuple(dict.fromkeys((*(shipped.icd10 if shipped else ()), *coded))),
        level=level,
        confidence=shipped.confidence if shipped else "S",
    )


def _entries(plan: Resource | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for action in (plan or {}).get("action", []):
        if code := _code_of(action):
            yield code, action


def _code_of(action: Mapping[str, Any]) -> str:
    first: Mapping[str, Any] = next(iter(action.get("code", [])), {})
    codings = first.get("coding", [])
    return next((str(one["code"]) for one in codings if one.get("system") == FINDING and "code" in one), "")


def _fault(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("business-rule", zh=zh, en=en, at=f"PlanDefinition.{at}", detail=f"critical.catalogue-{detail}")
