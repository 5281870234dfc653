"""The shell around the choice of a protocol: fetch what an exam can be scanned by on a scanner, and choose."""

from __future__ import annotations

from urllib.parse import quote

from slipring.fhir.service import Desk, Resource

from slipring_order.catalogue import Exam
from slipring_order.facts import age_on
from slipring_order.offer.defined import PROTOCOL_GROUP
from slipring_order.offer.mapping import EXAM_SYSTEM, exam_of_concept
from slipring_order.offer.maps_in_use import definition_of, maps_of
from slipring_order.offer.protocol_choice import protocol_for
from slipring_order.reading import Pool, reference_of


async def protocol_on(request: Resource, scanner: Resource, desk: Desk) -> Resource | None:
    """A Reference to the protocol that a request's exam is scanned by on a scanner (its Device); None without one."""
    exam = await _exam(request, desk)
    if exam is None:
        return None
    plans = [one.resource for one in await desk.search(_protocols_of(exam)) if not one.source]
    chosen = protocol_for(exam, scanner, plans, age_years=await _age(request, desk)) if plans else None
    if chosen is None:
        return None
    named = {"reference": f"PlanDefinition/{chosen['id']}", "display": chosen.get("title") or chosen.get("name")}
    return {name: value for name, value in named.items() if value}


async def suits(plan: Resource, request: Resource, scanner: Resource, desk: Desk) -> bool:
    """Whether a protocol, once it is approved, is for a request's exam, the patient's age and this scanner (its Device)."""
    exam = await _exam(request, desk)
    approved = [{**plan, "status": "active"}]
    return exam is not None and protocol_for(exam, scanner, approved, age_years=await _age(request, desk)) is not None


async def _exam(request: Resource, desk: Desk) -> Exam | None:
    pool = Pool()
    await maps_of(pool, desk, request)
    await definition_of(request, pool, desk)
    return exam_of_concept(request.get("code"), pool)


def _protocols_of(exam: Exam) -> str:
    wanted = [f"{EXAM_SYSTEM}|{exam.code}", *([f"{PROTOCOL_GROUP}|{exam.protocol}"] if exam.protocol else [])]
    return f"PlanDefinition?status=active&context={','.join(quote(one, safe=':/|') for one in wanted)}"


async def _age(request: Resource, desk: Desk) -> int | None:
    reference = reference_of(request.get("subject"))
    patient = await desk.read(reference) if reference.startswith("Patient/") else None
    birth_date = str(patient.resource.get("birthDate", "")) if patient else ""
    return age_on(birth_date, desk.now.astimezone(desk.settings.zone).date())
