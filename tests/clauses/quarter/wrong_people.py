"""Faults of people: certificates, training, competence, dose, health, who left."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import asyncpg
from slipring.identity.people.administering import Administration
from slipring.runtime.postgres import ensure_running
from slipring_demo.cast import C
from slipring_order.department.competence import next_assessment
from slipring_order.settings import OrderSettings

from tests.support.staffing import held

from .living import Quarter
from .loading import loaded
from .standing import certificates, member
from .wrong import Left, changed, exam, fault, found
from .wrong_house import day_of

Tree = dict[str, Any]


def code_of(entry: Tree) -> str:
    """What an entry of Practitioner.qualification is of."""
    return str(entry["code"]["coding"][0]["code"])


async def joined(
    quarter: Quarter, name: str, title: str, duties: tuple[str, ...], *held_by: Tree, since: str = "2019-01-01"
) -> str:
    """One more member of staff, who holds these and nothing else."""
    resources = dict(member(name, f"QX-{name.replace(' ', '-')}", title, duties))
    title_held = held(title, system=f"{C}/CodeSystem/staff-title")
    resources[name]["qualification"] = [title_held, *held_by]
    resources[f"{name} role"]["period"] = {"start": since}
    quarter.at |= await loaded(quarter.department, [(key, _known(one, quarter)) for key, one in resources.items()])
    return quarter.at[name]


def _known(resource: Tree, quarter: Quarter) -> Tree:
    """References to who is there already."""
    if resource["resourceType"] == "PractitionerRole":
        return resource | {"organization": {"reference": quarter.at["hospital"]}}
    if resource["resourceType"] == "QuestionnaireResponse":
        return resource | {"author": {"reference": quarter.at["head"]}}
    return resource


def but(code: str, *instead: Tree) -> list[Tree]:
    """All that a member of the department holds, but this one or what stands instead."""
    return [*(one for one in certificates() if code_of(one) != code), *instead]


def person(id: str, code: str, title: str, duties: tuple[str, ...], *instead: Tree, says: str) -> None:
    """A member of staff who lacks one thing."""

    @fault(id)
    async def lacking(quarter: Quarter) -> Left:
        place = await joined(quarter, f"who {id}", title, duties, *but(code, *instead))
        return found(place, says=says)


_TECHNOLOGIST = ("technologist", ("technologist",))
person(
    "worker-certificate-lapsed", "radiation-worker-certificate", *_TECHNOLOGIST,
    held("radiation-worker-certificate", "2020-01-01", day_of("worker-certificate-lapsed")), says="radiation worker certificate",
)  # fmt: skip
person(
    "training-lapsed", "resuscitation-training", "senior-nurse", ("ct-nurse",),
    held("resuscitation-training", "2025-08-01", day_of("training-lapsed")), says="anaphylaxis",
)  # fmt: skip
person(
    "competence-not-assessed", "competence", *_TECHNOLOGIST, held("competence", "2025-05-01", "2026-05-01"), says="competence",
)  # fmt: skip


@fault("account-left-open")
async def stayed(quarter: Quarter) -> Left:
    """He had an account from the first days of the quarter; his role ends, and nobody ends the account."""
    who = await joined(quarter, "who left", *_TECHNOLOGIST, *certificates())
    schema = quarter.department.house.services["order"].kernel.store.schema.removesuffix("order") + "front"
    front = {"search_path": f'"{schema}"'}
    connection = await asyncpg.connect(ensure_running(quarter.department.data_dir), server_settings=front)
    try:
        act = Administration(connection, schema, datetime(2026, 7, 2, 1, tzinfo=UTC))
        await act.add("who-left", who, ["technologist"], by="quarter")
    finally:
        await connection.close()
    post = await quarter.department.get(quarter.at["who left role"])
    await changed(quarter, quarter.at["who left role"], period=post["period"] | {"end": day_of("account-left-open")})
    return found(who, says="still sign in")


@fault("new-staff-assessed-once")
async def once(quarter: Quarter) -> Left:
    """His competence ends with the sixth month, as the service writes it of the first of two assessments."""
    since, first = date(2026, 1, 5), date(2026, 2, 1)
    until = next_assessment(first, since, [], OrderSettings().limits.on(first))
    place = await joined(
        quarter,
        "new technologist",
        *_TECHNOLOGIST,
        *but("competence", held("competence", str(first), str(until))),
        since=str(since),
    )
    return found(place, says="competence")


def unmonitored(id: str, form: str, turn: int = 1) -> None:
    """Somebody whose last reading or examination is too old."""

    @fault(id, turn)
    async def late(quarter: Quarter) -> Left:
        name = f"who {id}"
        await joined(quarter, name, *_TECHNOLOGIST, *certificates())
        old = "2024-06-01T02:00:00Z" if form == "health" else "2026-05-01T02:00:00Z"
        return found(await changed(quarter, quarter.at[f"{name} {form}"], authored=old), {"": quarter.at[name]})


unmonitored("occupational-health-overdue", "health")
unmonitored("dose-not-monitored", "dose")


def scanned_by(id: str, title: str, *instead: Tree) -> None:
    """An exam by a technologist who may not operate alone."""

    @fault(id)
    async def operated(quarter: Quarter) -> Left:
        who = await joined(quarter, f"who {id}", title, ("technologist",), *but("ct-equipment-certificate", *instead))
        day = int(day_of(id)[-2:])

        def by(task: Tree) -> None:
            task["owner"] = {"reference": who}

        records = await exam(quarter, "head", day, exam=by)
        return found(records["exam"], records | {"who": who}, "operator")


scanned_by("operator-certificate-lapsed", "technologist", held("ct-equipment-certificate", "2020-01-01", "2026-07-09"))
scanned_by("operator-of-rank-one", "technician", held("ct-equipment-certificate", "2020-01-01", "2032-01-01"))
