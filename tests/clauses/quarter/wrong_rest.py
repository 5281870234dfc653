"""Faults behind the API, of the catalogue, of comparison with others, and of what is not done at all."""

from __future__ import annotations

from typing import Any

import asyncpg
from slipring.runtime.postgres import ensure_running
from slipring_demo.teller import parameters

from .learning import a_round, answered
from .living import Quarter
from .wrong import Left, changed, fault, found

Tree = dict[str, Any]


async def behind(quarter: Quarter, service: str, *statements: str) -> None:
    """SQL as the superuser of the database, past the triggers that hold the trail; each must change something."""
    schema = quarter.department.house.services[service].kernel.store.schema
    connection = await asyncpg.connect(
        ensure_running(quarter.department.data_dir),
        server_settings={"search_path": schema, "session_replication_role": "replica"},
    )
    try:
        for sql in statements:
            assert not (await connection.execute(sql)).endswith(" 0"), sql
    finally:
        await connection.close()


def _text(place: str, said: str, instead: str) -> str:
    kind, _, name = place.partition("/")
    return (
        f"UPDATE version v SET body = replace(body, '{said}', '{instead}') FROM resource r "
        f"WHERE r.key = v.key AND r.version = v.version AND r.type = '{kind}' AND r.id = '{name}'"
    )


def rewritten(id: str, exam: int) -> None:
    """The conclusion of a released report is another one in the database."""

    @fault(id)
    async def forged(quarter: Quarter) -> Left:
        one = quarter.exams[exam]
        await behind(quarter, "report", _text(one.report, one.kind.comes_to, "未见异常，无需复查。"))
        return found(one.report, {"exam": one.at}, "not what the trail says")


rewritten("record-changed-behind-the-api", 6)
rewritten("signature-behind-the-api", 7)


@fault("audit-line-removed")
async def removed(quarter: Quarter) -> Left:
    """Of who confirmed a patient's identity."""
    task = await quarter.exams[8].task()
    place = next(one["valueReference"]["reference"] for one in task["input"] if "Provenance" in str(one))
    await behind(quarter, "order", f"DELETE FROM audit WHERE resource LIKE '{place}/_history/%'")
    return found(place)


@fault("preparation-text-missing")
async def unprepared(quarter: Quarter) -> Left:
    [kept] = await quarter.department.found("ActivityDefinition?_id=o-exam-ct-pelvis")
    left = [
        one
        for one in kept["extension"]
        if not any(part.get("valueCode") == "bring" for part in one.get("extension", []))
    ]
    return found(await changed(quarter, "ActivityDefinition/o-exam-ct-pelvis", extension=left), says="bring")


@fault("downtime-drill-overdue")
async def undrilled(quarter: Quarter) -> Left:
    place = quarter.at["downtime-drill"]
    return found(await changed(quarter, place, authored="2024-08-13T02:00:00Z"), says="drill")


@fault("eqa-round-missing", turn=0)
async def unreturned(quarter: Quarter) -> Left:
    return found(await a_round(quarter, "2026-10-20"), says="not answered", when="after", by="api")


@fault("eqa-failed-without-action", turn=0)
async def failed(quarter: Quarter) -> Left:
    """It cannot be left without one: the nonconformity is opened with the verdict, and stays until it is settled."""
    place = await a_round(quarter, "2026-10-20")
    await answered(quarter, place, 40)
    return found("*", says="nonconformity", when="after", by="api")


def undone(id: str, says: str) -> None:
    """In the quarter that follows exams are made, and this is not done by anybody."""

    @fault(id, turn=3)
    async def nothing(quarter: Quarter) -> Left:
        return found("", says=says, when="after", by="api")


undone("indications-not-reviewed", "nothing is on record")
undone("rounds-not-attended", "nothing is on record")
undone("images-not-graded", "nothing is on record")
undone("concordance-not-compared", "nothing is on record")
undone("no-re-reading", "nothing is on record")


@fault("indicator-not-evaluated", turn=3)
async def unreckoned(quarter: Quarter) -> Left:
    """All figures of the next quarter are closed but one."""
    span = {"periodStart": ("Date", "2026-10-01"), "periodEnd": ("Date", "2026-12-31")}
    for measure in await quarter.department.found("Measure?status=active&_count=200"):
        if not measure["url"].endswith("/complaints-handled"):
            await quarter.department.post(f"Measure/{measure['id']}/$close-period", parameters(**span))
    return found("", says="not computed", when="after", by="api")
