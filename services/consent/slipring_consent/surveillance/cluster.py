"""The nonconformity that a lot of contrast opens, in FHIR spelling. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.contrast.holding import LOT_NUMBER
from slipring_consent.contrast.lots import lot_number, same_lot
from slipring_consent.observing.resources import coded, said
from slipring_consent.observing.task import told
from slipring_consent.reading import instant, is_coded, reference_of
from slipring_consent.resources import TASK_CODE, concept

CLAUSE = "CL02-A011:4.13"
LOT = "lot"  # the id of a contained Medication: a lot that nobody has entered here is kept in its Task
FIGURES = ("cluster-reacted", "cluster-given", "cluster-base-rate", "cluster-chance", "proposal", "reaction")
WHICH_LOT = ("identifier", "contained")
ENDED = ("completed", "rejected", "cancelled", "failed", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands out: so many of those given, and how likely that is at the rate that is usual."""

    reacted: int
    given: int
    rate: float
    chance: float
    severe_only: bool = False


def as_cluster(
    task_id: str, lot: Resource, figures: Figures, reactions: list[str], *, now: datetime, kept: bool
) -> Resource:
    """The Task: which lot, by which figures, which reactions, and the proposal to take the lot out of use.

    A lot that is not `kept` as a resource of its own is contained in the Task.
    """
    number = lot_number(lot)
    name = ("重度反应", "severe reactions") if figures.severe_only else ("不良反应", "reactions")
    counted = f"{figures.reacted}/{figures.given}"
    zh = (
        f"批号 {number} 的{name[0]}多于预期：{counted}，基线率 {figures.rate:.2%}，偶然概率 {figures.chance:.2g}。"
        "建议暂停使用该批号并查因。"
    )
    en = (
        f"Lot {number} is followed by more {name[1]} than expected: {counted} at a usual rate of {figures.rate:.2%}, "
        f"chance {figures.chance:.2g}. Proposed: keep the lot out of use and look for the cause."
    )
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": concept(
            TASK_CODE, "nonconformity", "不符合项：批号不良反应聚集", "Nonconformity: reactions cluster in a lot"
        ),
        "description": zh,
        "_description": {"extension": [{"url": TRANSLATION, "extension": _english(en)}]},
        **({} if kept else {"contained": [_as_contained(lot)]}),
        "identifier": [{"system": LOT_NUMBER, "value": number}],
        "focus": {"reference": f"Medication/{lot['id']}" if kept else f"#{LOT}"},
        "authoredOn": instant(now),
        "lastModified": instant(now),
        "reasonCode": concept(f"{CANONICAL}/CodeSystem/clause", CLAUSE, "不良反应监测", "surveillance of reactions"),
        "input": [
            said("cluster-reacted", valueInteger=figures.reacted),
            said("cluster-given", valueInteger=figures.given),
            said("cluster-base-rate", valueDecimal=figures.rate),
            said("cluster-chance", valueDecimal=float(f"{figures.chance:.3g}")),
            said("proposal", valueCodeableConcept=coded("lot-proposal", "quarantine")),
            *(said("reaction", valueReference={"reference": one}) for one in reactions),
        ],
    }


def is_of(task: Resource, lot: Resource, *, kept: bool) -> bool:
    """Whether a nonconformity is of this lot: by its reference, or by what it contains of a lot that was not entered."""
    focus = str(task.get("focus", {}).get("reference", ""))
    if kept and focus == f"Medication/{lot['id']}":
        return True
    held = next((one for one in task.get("contained", []) if focus == f"#{one.get('id')}"), None)
    return held is not None and held.get("resourceType") == "Medication" and same_lot(held, lot)


def figures_of(task: Resource) -> list[Resource]:
    """The inputs by which a lot stands out, which only the service writes; none of another nonconformity."""
    return [one for one in task.get("input", []) if any(is_coded(one.get("type"), kind) for kind in FIGURES)]


def reactions_on(task: Resource) -> list[str]:
    """The reactions that a nonconformity names."""
    return [reference_of(one) for one in told(task, "input", "reaction") if isinstance(one, dict)]


def with_reaction(task: Resource, event: Resource, *, now: datetime) -> dict[str, Any]:
    """The members of a nonconformity that one more reaction is added to."""
    one = said("reaction", valueReference={"reference": f"AdverseEvent/{event['id']}"})
    return {"input": [*task.get("input", []), one], "lastModified": instant(now)}


def as_told_of(task_id: str, cluster: Resource, who: str, *, now: datetime) -> Resource:
    """The notice that tells one person of the lot."""
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "priority": "urgent",
        "code": concept(TASK_CODE, "notice", "通知", "Notice"),
        "description": cluster["description"],
        "_description": cluster["_description"],
        "focus": {"reference": f"Task/{cluster['id']}"},
        "authoredOn": instant(now),
        "owner": {"reference": who},
    }


def _english(text: str) -> list[Resource]:
    return [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": text}]


def _as_contained(lot: Resource) -> Resource:
    """What tells a lot from others; what points into the record that it was named in stays behind."""
    strengths = [one["strength"] for one in lot.get("ingredient", []) if "strength" in one and "code" in lot]
    kept: Resource = {name: lot[name] for name in ("code", "batch") if name in lot}
    if strengths:
        kept["ingredient"] = [{"itemCodeableConcept": lot["code"], "strength": one} for one in strengths]
    return {"resourceType": "Medication", "id": LOT, **kept}
