"""A lot after which more patients react than chance lets one expect: one nonconformity, and who must know is told (4.13)."""

from __future__ import annotations

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, successor
from slipring.rules.limits import Limits

from slipring_consent.contrast.holding import contained_lot, lot_reference, numbered, records_of
from slipring_consent.contrast.lots import lot_number, same_lot
from slipring_consent.department import limits_of
from slipring_consent.observing.escalating import holders
from slipring_consent.reactions.said import happened, suspects_of
from slipring_consent.surveillance.cluster import ENDED, Figures, as_cluster, as_told_of, reactions_on, with_reaction
from slipring_consent.surveillance.gathering import as_reacted
from slipring_consent.surveillance.given import EXTRAVASATION, Reacted
from slipring_consent.surveillance.wilson import at_least

TOLD = ("quality-manager", "ct-head", "nursing-lead")
_GIVEN = ("completed", "stopped")
_PORTION = 50


async def looked_at(event: Resource, desk: Desk) -> Changes:
    """What a reaction means for the lots it is thought to come from; called whenever one is written.

    A lot with enough reactions, less likely by chance than the policy allows, opens one nonconformity; what comes after is
    added to it. Quarantine is proposed, never done. A lot that is not kept as a Medication is not looked at.
    """
    if not happened(event) or as_reacted(event).kind == EXTRAVASATION:
        return Changes.none()
    changes = Changes.none()
    for lot in await _lots(event, desk):
        changes = changes.plus(await _of_lot(lot, event, desk))
    return Changes.none() if changes.nothing else changes


def stands_out(given: int, reactions: list[Reacted], limits: Limits) -> Figures | None:
    """The figures of a lot that stands out, for severe reactions first; None where chance explains them."""
    for severe, least, rate in (
        (True, "cluster.least_severe", "cluster.base_rate_severe"),
        (False, "cluster.least_reactions", "cluster.base_rate"),
    ):
        counted = len({one.reference for one in reactions if one.counts("severe" if severe else "")})
        usual = float(limits.limit(rate).value)
        chance = at_least(counted, max(given, counted), usual)
        if counted >= int(limits.limit(least).value) and chance < float(limits.limit("cluster.alpha").value):
            return Figures(counted, given, usual, chance, severe)
    return None


async def _of_lot(lot: Stored, event: Resource, desk: Desk) -> Changes:
    given = [one for one in await records_of(lot.resource, desk) if _was_given(one)]
    reactions = await _reactions(given, event, desk)
    tasks = await desk.search(f"Task?code=nonconformity&focus={lot.reference}")
    clusters = [one for one in tasks if not one.source]
    for standing in (one for one in clusters if one.resource["status"] not in ENDED):
        if f"AdverseEvent/{event['id']}" in reactions_on(standing.resource):
            return Changes.none()
        return Changes(save=[successor(standing, **with_reaction(standing.resource, event, now=desk.now))])
    seen = {reference for one in clusters for reference in reactions_on(one.resource)}
    new = [one for one in reactions if one.reference not in seen]  # what an earlier nonconformity dealt with
    figures = stands_out(len(given), new, limits_of(desk))
    if figures is None:
        return Changes.none()
    task = as_cluster(desk.new_id(), lot.resource, figures, [one.reference for one in new], now=desk.now)
    told = [who for role in TOLD for who in await holders(role, desk)]
    notices = [Save(as_told_of(desk.new_id(), task, who, now=desk.now)) for who in dict.fromkeys(told) if who]
    return Changes(save=[Save(task), *notices], keys=[f"cluster:{lot.reference}:{len(clusters)}"])


def _was_given(record: Stored) -> bool:
    return record.resource["resourceType"] == "MedicationAdministration" and record.resource.get("status") in _GIVEN


async def _reactions(given: list[Stored], event: Resource, desk: Desk) -> list[Reacted]:
    """The reactions after these injections, with the one that is being written as it will stand."""
    named = [one.reference for one in given]
    portions = [named[at : at + _PORTION] for at in range(0, len(named), _PORTION)]
    found = await desk.searches([f"AdverseEvent?substance={','.join(portion)}" for portion in portions])
    events = {one.reference: one.resource for each in found for one in each}
    events[f"AdverseEvent/{event['id']}"] = event
    return [as_reacted(one) for one in events.values() if happened(one)]


async def _lots(event: Resource, desk: Desk) -> list[Stored]:
    """The lots of the injections that are suspected, each once."""
    found: dict[str, Stored] = {}
    for suspect in suspects_of(event, "MedicationAdministration"):
        stored = await desk.read(suspect)
        for lot in await _lots_of(stored.resource, desk) if stored is not None else []:
            found[lot.reference] = lot
    return list(found.values())


async def _lots_of(administration: Resource, desk: Desk) -> list[Stored]:
    contained = contained_lot(administration)
    if contained is not None:
        kept = await desk.search(numbered(lot_number(contained)))
        return [one for one in kept if same_lot(one.resource, contained)]
    reference = lot_reference(administration)
    lot = await desk.read(reference) if reference else None
    return [lot] if lot is not None and lot_number(lot.resource) else []
