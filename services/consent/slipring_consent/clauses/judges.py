"""What consent's records prove: contrast with consent and screening, by qualified people, from accepted lots, observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from slipring.clauses.register import Words
from slipring.consents.state import EMERGENCY, consent_state
from slipring.fhir.merged import merge_set
from slipring.fhir.service import Evidence, Resource, Stored
from slipring.staff import may
from slipring.verdicts.looking import Judged, Look, broken

from slipring_consent.consenting.facts import consents_of
from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.holding import LOT_ID
from slipring_consent.contrast.known import kept_lot
from slipring_consent.contrast.lots import ACCEPTED, lot_of, state_of
from slipring_consent.contrast.record import times_of
from slipring_consent.department import limits_of
from slipring_consent.gate.override import override_of
from slipring_consent.gate.weighing import gives_contrast
from slipring_consent.observing.task import limit_of, observer_of
from slipring_consent.observing.task import state_of as observed_as
from slipring_consent.people import people_of, staff_behind
from slipring_consent.reactions.said import effect_of, happened, measures_of, phase_of
from slipring_consent.reading import moment, reference_of
from slipring_consent.screening.known import ANSWERED, exams_of_response, is_our_screening

_CALLS = "follow_up.hours_reaction"
_PERMITS = ("active", EMERGENCY)


async def permitted(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Before contrast was given stood an answered screening and a consent in force, or a named override (5.3.2.5)."""
    given = await _contrast(look, counted)
    exams = {exam for one, _ in given if (exam := exam_of_administration(one.stored.resource))}
    screened = await _by_exam(look, await look.each("QuestionnaireResponse?based-on", exams), exams_of_response)
    consents = await _by_exam(look, await look.each("Consent?data", exams), _named_by)
    faults = []
    async for one, at in look.spread(given):
        exam = exam_of_administration(one.stored.resource)
        override = override_of(one.stored.resource)
        if override is not None and override.by and override.reason:
            continue
        if not any(_screens(each.resource, at, look) for each in screened.get(exam, [])):
            faults.append(broken(one, "给药前没有筛查", "no screening before it was given"))
        elif not await _consented(exam, one.stored.resource, at, consents.get(exam, []), look):
            faults.append(broken(one, "给药时没有有效的知情同意", "no consent in force when it was given"))
    return Judged(faults, len(given))


async def entitled(look: Look, counted: Sequence[Evidence]) -> Judged:
    """One of those who gave contrast might give it at that moment (5.1.2)."""
    faults, given = [], await _contrast(look, counted)
    async for one, at in look.spread(given):
        lacks = []
        for who in people_of(one.stored.resource)[0]:
            person, roles = await look.once(f"staff {who}", partial(staff_behind, look.then, who))
            lacks.append(may("give-contrast", person, roles, at, zone=str(look.zone)))
        nearest = min(lacks, key=len, default=None)
        if nearest is None:
            faults.append(broken(one, "未注明给药人", "nobody is named who gave it"))
        elif nearest:
            faults.append(broken(one, f"给药人：{nearest[0].zh}", f"who gave it: {nearest[0].en}"))
    return Judged(faults, len(given))


async def lots(look: Look, counted: Sequence[Evidence]) -> Judged:
    """The lot, where one is named, was accepted when it was used (5.3.2.3)."""
    faults, named = [], 0
    async for one, at in look.spread(await _contrast(look, counted)):
        lot = await kept_lot(one.stored.resource, look.then)
        if lot is not None:
            named += 1
            if state_of(lot.resource, at) != ACCEPTED:
                faults.append(broken(one, "所用批次未验收", "its lot was not accepted"))
    return Judged(faults, named)


async def traced(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Contrast that was given names the lot it was taken from (4.13)."""
    given = await _contrast(look, counted)
    lotless = [one async for one, _ in look.spread(given) if await kept_lot(one.stored.resource, look.then) is None]
    return Judged([broken(one, "未注明批次", "the lot is not named") for one in lotless], len(given))


async def received(look: Look, counted: Sequence[Evidence]) -> Judged:
    """The lot had come in, with a receipt, and was in date when contrast was given from it (5.3.2.1)."""
    faults, named = [], 0
    async for one, at in look.spread(await _contrast(look, counted)):
        lot = await kept_lot(one.stored.resource, look.then)
        if lot is None:
            continue
        named += 1
        receipts = await look.seen(f"SupplyDelivery?identifier={LOT_ID}|{lot.resource['id']}")
        known = lot_of(lot.resource, str(look.zone), at)
        if not receipts:
            faults.append(broken(one, "所用批次没有入库记录", "no receipt of its lot is on record"))
        elif known is not None and known.expired(at):
            faults.append(broken(one, "所用批次已过有效期", "its lot was out of date"))
    return Judged(faults, named)


async def observed(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Somebody was named to observe, and nobody was left unobserved past his time (5.4.4.1)."""
    faults = []
    async for one in look.spread(counted):
        if not observer_of(one.stored.resource):
            faults.append(broken(one, "未注明观察人员", "no observer is named"))
        elif observed_as(one.stored.resource) == "overdue":
            faults.append(
                broken(one, "观察逾期未结束", "the observation is overdue", figure=limit_of(one.stored.resource))
            )
    return Judged(faults)


async def reactions(look: Look, counted: Sequence[Evidence]) -> Judged:
    """A reaction that is closed tells what was done and what it means for the CT result (4.13)."""
    faults, real = [], [one for one in counted if happened(one.stored.resource)]
    async for one in look.spread(real):
        event = one.stored.resource
        if phase_of(event) == "closed" and not (measures_of(event) and any(effect_of(event))):
            faults.append(
                broken(one, "关闭时缺少措施或对结果的影响", "closed without its measures or its effect on the result")
            )
        began = moment(event.get("date"), str(look.zone))
        if phase_of(event) != "closed" and began is not None and began + _last_call(look) < look.until:
            late = Words("最后一次回访之后仍未关闭", "not closed after the last call to the patient")
            faults.append(broken(one, late.zh, late.en, figure=_CALLS))
    return Judged(faults, len(real))


def _last_call(look: Look) -> timedelta:
    """How long after a reaction the patient is called for the last time, by the number of the end of the period."""
    day = look.until.astimezone(look.zone).date()
    return timedelta(hours=max(limits_of(look.desk, day).limit(_CALLS).value))


async def _contrast(look: Look, counted: Sequence[Evidence]) -> list[tuple[Evidence, datetime]]:
    """The administrations of contrast, each with the moment it began."""
    found = []
    async for one in look.spread(counted):
        begun, _ = times_of(one.stored.resource, str(look.zone))
        contrast = await look.once(
            f"contrast {one.stored.reference}", partial(gives_contrast, one.stored.resource, look.then)
        )
        if begun is not None and contrast:
            found.append((one, begun))
    return found


async def _by_exam(
    look: Look, found: Sequence[Evidence], exams_of: Callable[[Resource], Iterable[str]]
) -> dict[str, list[Stored]]:
    """What was found under each examination it is about: to look through all of it for each would take hours."""
    about: dict[str, list[Stored]] = {}
    async for one in look.spread(found):
        for exam in exams_of(one.stored.resource):
            about.setdefault(exam, []).append(one.stored)
    return about


def _named_by(consent: Resource) -> set[str]:
    """What a Consent names, as the search by `data` finds it."""
    return {reference_of(entry.get("reference")) for entry in consent.get("provision", {}).get("data", [])}


def _screens(response: Resource, at: datetime, look: Look) -> bool:
    answered = moment(response.get("authored"), str(look.zone))
    return response.get("status") in ANSWERED and is_our_screening(response) and answered is not None and answered <= at


async def _consented(exam: str, given: Resource, at: datetime, mine: Sequence[Stored], look: Look) -> bool:
    """By the consents as they stand; where they no longer permit, by those that stood when contrast was given."""
    patient = reference_of(given.get("subject"))
    person = await look.once(f"person {patient}", partial(merge_set, patient, look.then))
    if consent_state(mine, person, at, look.zone) in _PERMITS:
        return True
    then = await look.stood(consents_of(exam), at)
    return consent_state([one.stored for one in then], person, at, look.zone) in _PERMITS
