"""Patient/[id]/$everything: all that this service keeps about one patient, and what that refers to here.

A service answers its own part, also when it only follows the patient; the front puts the parts together. A patient that
was merged with others (Patient.link) is asked for together with them.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir import sight
from slipring.fhir.checks.schema import supported
from slipring.fhir.definitions.compartment import patient_compartment
from slipring.fhir.interactions.given import Given
from slipring.fhir.interactions.including import included
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue, as_operation_outcome, forbidden, gone, invalid, not_found
from slipring.fhir.search.condition import AnyOf, Condition
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.include import Include
from slipring.fhir.search.moment import interval
from slipring.fhir.search.parameter import parameters_for
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Row
from slipring.fhir.text import encode

PARAMETERS = ("start", "end", "_since", "_type", "_count")
_CURSOR = "_cursor"
_DEFAULT_COUNT = 100
_MOST = 1000
_CARE_DATE: dict[str, str] = tomllib.loads(
    files("slipring.fhir.interactions").joinpath("everything.toml").read_text("utf-8")
)["care_date"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted, and where the page begins."""

    patient: str
    pairs: list[tuple[str, str]]
    types: list[str]  # in order; those that may be read
    withheld: list[str]  # those that may not
    count: int
    position: int = 0  # of the type that the page goes on with
    after: list[Any] | None = None


async def everything(kernel: Kernel, context: Context, patient: str, given: Given) -> Response:
    """One page, audited with all that it discloses."""
    context.demand("Patient", "r")
    asked = _asked(kernel, context, patient, given)
    people = await _people(kernel, context, patient)
    searches = [sight.asked(kernel, context, _criteria(kernel, one, people, asked.pairs), "r") for one in asked.types]
    first = asked.position == 0 and asked.after is None
    found, position, more = await _page(kernel, asked, searches)
    others = [row for row in await _referred(kernel, context, found) if not patient_compartment().get(row.type)]
    total = sum([await reading.count(kernel.store.searches, one, source="") for one in searches]) if first else None
    disclosed = [row.reference for row in (*found, *others)]
    names = sorted({name for name, _ in asked.pairs})
    audit = context.audit("operation", f"Patient/{patient}/$everything", disclosed=disclosed, parameters=names)
    await kernel.store.audits.write(audit, kernel.now())
    address = f"{kernel.base}/Patient/{patient}/$everything"
    links = {"self": address}
    if more:
        links["next"] = f"{address}?{_CURSOR}={_sealed(kernel, asked, position, found[-1])}"
    entries = [entry(f"{kernel.base}/{row.reference}", row.text, search={"mode": "match"}) for row in found]
    entries += [entry(f"{kernel.base}/{row.reference}", row.text, search={"mode": "include"}) for row in others]
    if asked.withheld:
        outcome = encode(as_operation_outcome([_withheld(asked.withheld)], context.language))
        entries.append(entry(None, outcome, search={"mode": "outcome"}))
    return answer(bundle("searchset", entries, total=total, links=links))


async def _page(kernel: Kernel, asked: _Asked, searches: Sequence[Criteria]) -> tuple[list[Row], int, bool]:
    """The next rows, type after type; the type of the last one, and whether more follow."""
    found: list[Row] = []
    position, after, last = asked.position, asked.after, asked.position
    while position < len(searches) and len(found) <= asked.count:
        wanted = asked.count + 1 - len(found)
        rows = await reading.search(kernel.store.searches, searches[position], source="", after=after, limit=wanted)
        last = position if rows and len(found) < asked.count else last
        found += rows
        position, after = position + 1, None
    more = len(found) > asked.count
    return found[: asked.count], last, more


async def _referred(kernel: Kernel, context: Context, rows: list[Row]) -> list[Row]:
    """Practitioners, organizations, places, devices: what the page refers to, as far as it is kept and may be seen."""
    if not rows:
        return []
    includes = [Include(False, False, kind, "*") for kind in sorted({row.type for row in rows})]
    return await included(kernel, context, kernel.store.searches, rows, includes)


def _criteria(kernel: Kernel, kind: str, people: Sequence[str], pairs: list[tuple[str, str]]) -> Criteria:
    """The search for one type's part of the compartment."""
    names = ",".join(f"Patient/{name}" for name in people)
    known = parameters_for(kind)

    def read(*asked: tuple[str, str]) -> tuple[Condition, ...]:
        return parse(kind, list(asked), zone=kernel.zone).clauses

    if kind == "Patient":
        clauses = read(("_id", ",".join(people)))
    else:
        by = [code for code in patient_compartment()[kind] if code in known]
        clauses = (AnyOf(tuple(read((code, names))[0] for code in by)),)
    given = dict(pairs)
    care_date = _CARE_DATE.get(kind)
    for name, prefix in (("start", "ge"), ("end", "le")):
        if name in given and care_date in known:
            within = read((str(care_date), f"{prefix}{given[name]}"), (f"{care_date}:missing", "true"))
            clauses += (AnyOf(within),)
    if "_since" in given:
        clauses += read(("_lastUpdated", f"ge{given['_since']}"))
    return Criteria(kind, clauses)


async def _people(kernel: Kernel, context: Context, patient: str) -> list[str]:
    """The patient and those he was merged with, by the links of the patients that lie here, kept or followed."""
    if "Patient" not in kernel.held:
        return [patient]
    row = await reading.current(kernel.store.pool, "Patient", patient)
    if row is not None and not row.source and not sight.visible(kernel, context, row):
        row = None
    if row is None or row.deleted:
        if kernel.service.keeper_of("Patient"):
            raise gone(f"Patient/{patient}") if row else not_found(f"Patient/{patient}")
        return [patient]
    records = await merge_set(f"Patient/{patient}", kernel.desk(context.caller))
    return sorted(one.removeprefix("Patient/") for one in records)


def _asked(kernel: Kernel, context: Context, patient: str, given: Given) -> _Asked:
    pairs = given.pairs(*PARAMETERS, _CURSOR)
    cursor = next((value for name, value in pairs if name == _CURSOR), None)
    begin, after = "", None
    if cursor is not None:
        if len(pairs) > 1:
            raise invalid(
                "A page link stands alone.",
                "翻页链接不能与其他参数同用。",
                at=_CURSOR,
                detail="kernel.page-link-stands-alone",
            )
        pairs, begin, after = _opened(kernel, cursor, patient)
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name == "_type" and name in values else value
    for name in ("start", "end", "_since"):
        if name in values and interval(values[name], kernel.zone) is None:
            raise invalid(
                f"{name} must be a date or a time.", f"{name} 须为日期或时刻。", at=name, detail="kernel.not-a-date"
            )
    wanted = _types(values["_type"]) if "_type" in values else None
    here = [k.type for k in kernel.service.keeps if k.type == "Patient" or patient_compartment().get(k.type)]
    here.sort(key=lambda kind: kind != "Patient")  # who it is about comes first
    kinds = [kind for kind in here if wanted is None or kind in wanted]
    readable = [kind for kind in kinds if context.caller.allows(kind, "r")]
    withheld = [kind for kind in kinds if kind not in readable]
    if wanted is not None and withheld:
        raise forbidden(
            f"The token lacks the scope system/{withheld[0]}.r.",
            f"令牌缺少权限 system/{withheld[0]}.r。",
            detail="kernel.scope-missing",
        )
    if begin and begin not in readable:
        raise _foreign()
    position = readable.index(begin) if begin else 0
    return _Asked(patient, list(values.items()), readable, withheld, _count(values.get("_count")), position, after)


def _types(text: str) -> list[str]:
    wanted = [name for name in text.split(",") if name]
    for name in wanted:
        if name not in supported():
            raise invalid(
                "_type names no resource type of R4.",
                "_type 含非 R4 资源类型。",
                at="_type",
                detail="kernel.type-unknown",
            )
    return wanted


def _count(text: str | None) -> int:
    if text is None:
        return _DEFAULT_COUNT
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 10):
        raise invalid(
            "_count must be a whole number from 1.",
            "_count 必须是正整数。",
            at="_count",
            detail="kernel.not-a-whole-number",
        )
    return min(int(text), _MOST)


def _withheld(types: Sequence[str]) -> Issue:
    listed = ", ".join(types)
    return Issue(
        "suppressed",
        zh=f"令牌无权读取以下类型，未包含：{listed}。",
        en=f"Left out, because the token may not read them: {listed}.",
        severity="warning",
        detail="kernel.types-left-out",
    )


def _sealed(kernel: Kernel, asked: _Asked, position: int, last: Row) -> str:
    # By the name of the type: another token may read other types.
    written = ["everything", asked.patient, asked.pairs, asked.types[position], list(last.sort)]
    return kernel.cursors.encrypt(json.dumps(written).encode()).decode()


def _opened(kernel: Kernel, cursor: str, patient: str) -> tuple[list[tuple[str, str]], str, list[Any]]:
    try:
        opened: Any = json.loads(kernel.cursors.decrypt(cursor.encode()))
    except (InvalidToken, ValueError):
        raise _foreign() from None
    if opened[:2] != ["everything", patient]:
        raise _foreign()
    return [(name, value) for name, value in opened[2]], str(opened[3]), list(opened[4])


def _foreign() -> FhirError:
    return invalid(
        "The page link is not one of ours.", "翻页链接无效。", at=_CURSOR, detail="kernel.page-link-not-ours"
    )
