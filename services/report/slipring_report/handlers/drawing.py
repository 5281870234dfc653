"""`$draw-rereading`: a seeded sample of released reports, each to a reader who had no part in it (5.6.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored
from slipring.qc.report.sampling import drawn

from slipring_report.department import today
from slipring_report.handlers.re_reading import needed
from slipring_report.learning import answers
from slipring_report.learning.gathering import by_system, demand_department, period_asked, released_in
from slipring_report.learning.re_reading import as_case, as_draw
from slipring_report.reading import reference_of, request_of
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.gathering import signatures_of
from slipring_report.worklist.people import acting, demand_allowed

_DRAWS, _READS = "draft-report", "first-sign"  # acts of slipring.staff


async def re_reading_drawn(call: Call, desk: Desk) -> Changes:
    """Draw a sample of the released reports of a period by seed, and give each case to a reader who had no part in it."""
    demand_department(desk)
    by, size, seed = await acting(call, desk, _DRAWS), _size(call), str(call.value("seed") or "").strip()
    if not seed:
        raise needed("seed", call)
    readers = await _readers(call, by, desk)
    start, end = period_asked(call, desk)
    reports: dict[str, Stored] = {}
    strata: dict[str, list[str]] = {}
    for system, each in (await by_system(await released_in(start, end, desk), desk)).items():
        new = [
            one for one in each if one.reference not in reports
        ]  # an exam of several systems is drawn from the first
        reports |= {one.reference: one for one in new}
        strata[system] = [one.reference for one in new]
    draw = drawn(strata, size, seed, today(desk))
    period = {"start": written(start), "end": written(end)}
    record = as_draw(draw, period, by, id=desk.new_id(), now=desk.now)
    cases: list[Resource] = []
    due = timedelta(days=answers.settings()["re-reading"]["due_days"])
    for system, chosen in draw.chosen.items():
        for one in chosen:
            reader = await _other_reader(one, readers, len(cases), desk)
            report = reports[one].resource
            cases.append(
                as_case(
                    report,
                    request_of(report),
                    system,
                    reader,
                    draw=record["id"],
                    id=desk.new_id(),
                    due=due,
                    now=desk.now,
                )
            )
    answer = parameters(
        ("draw", "Reference", reference(f"Task/{record['id']}")),
        ("population", "Integer", draw.population),
        ("listSha256", "String", draw.list_sha256),
        *[("case", "Reference", reference(f"Task/{case['id']}")) for case in cases],
    )
    return Changes(save=[Save(record), *map(Save, cases)], answer=answer)


async def _readers(call: Call, by: str, desk: Desk) -> list[str]:
    readers = list(dict.fromkeys(reference_of(one) for one in call.values("reader")))
    if not readers:
        raise needed("reader", call)
    for one in readers:
        await demand_allowed(one, _READS, call.at("reader"), desk)
    if by in readers:
        raise unprocessable(
            "Whoever draws does not read what he draws.",
            "抽样者不得复阅本次抽样的病例。",
            at=call.at("reader"),
            detail="report.re-reading-drawer",
        )
    return readers


async def _other_reader(report: str, readers: Sequence[str], turn: int, desk: Desk) -> str:
    """The next reader in turn who signed no version of this report."""
    signers = {one.who for one in await signatures_of(report, desk)}
    free = [one for one in readers if one not in signers]
    if not free:
        raise unprocessable(
            "Each of these readers signed one of the cases drawn; name another one.",
            "所列医师均签署过抽中的病例，请另指定复阅医师。",
            at="Parameters.parameter.where(name='reader')",
            detail="report.re-reading-no-reader",
        )
    return free[turn % len(free)]


def _size(call: Call) -> int:
    most, size = answers.settings()["re-reading"]["most"], call.value("size")
    if not isinstance(size, int) or not 1 <= size <= most:
        raise unprocessable(
            f"size is a number from 1 to {most}.",
            f"size 须为 1 至 {most} 的整数。",
            at=call.at("size"),
            code="value",
            detail="report.re-reading-size",
        )
    return size
