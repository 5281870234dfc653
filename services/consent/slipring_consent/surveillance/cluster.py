"""The nonconformity that a lot of contrast opens, in FHIR spelling. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.contrast.lots import lot_number
from slipring_consent.observing.resources import coded, said
from slipring_consent.observing.task import told
from slipring_consent.reading import instant, reference_of
from slipring_consent.resources import TASK_CODE, concept

CLAUSE = "CL02-A011:4.13"
ENDED = ("completed", "rejected", "cancelled", "failed", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands out: so many of those given, and how likely that is at the rate that is usual."""

    reacted: int
    given: int
    rate: float
    chance: float
    severe_only: bool = False


def as_cluster(task_id: str, lot: Resource, figures: Figures, reactions: list[str], *, now: datetime) -> Resource:
    """The Task: which lot, by which figures, which reactions, and the proposal to take the lot out of use."""
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
        "focus": {"reference": f"Medication/{lot['id']}"},
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
