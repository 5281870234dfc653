"""A lot after which more patients react than chance lets one expect: one nonconformity, and who must know is told (4.13)."""

from __future__ import annotations

from urllib.parse import quote

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, successor
from slipring.qc.proportion import at_least
from slipring.rules.limits import Limits

from slipring_consent.contrast.holding import (
    LOT_NUMBER,
    contained_lot,
    given_unkept,
    lot_reference,
    numbered,
    records_of,
)
from slipring_consent.contrast.lots import lot_number, same_lot
from slipring_consent.department import limits_of
from slipring_consent.observing.escalating import holders
from slipring_consent.reactions.said import happened, suspects_of
from slipring_consent.reading import codes_in
from slipring_consent.surveillance.cluster import (
    ENDED,
    Figures,
    as_cluster,
    as_told_of,
    is_of,
    reactions_on,
    with_reaction,
)
from slipring_consent.surveillance.gathering import as_reacted
from slipring_consent.surveillance.given import EXTRAVASATION, Reacted

TOLD = ("quality-manager", "ct-head", "nursing-lead")
_GIVEN = ("completed", "stopped")
_PORTION = 50


async def looked_at(event: Resource, desk: Desk) -> Changes:
    """What a reaction means for the lots it is thought to come from; called whenever one is written.

    A lot with enough reactions, less likely by chance than the policy allows, opens one nonconformity; what comes after is
    added to it. Quarantine is proposed, never done. A lot that nobody entered is looked at by what its injections contain.
    """
    if not happened(event) or as_reacted(event).kind == EXTRAVASATION:
        return Changes.none()
    changes = Changes.none()
    for lot, kept in await _lots(event, desk):
        changes = changes.plus(await _of_lot(lot, event, desk, kept=kept))
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


async def _of_lot(lot: Resource, event: Resource, desk: Desk, *, kept: bool) -> Changes:
    records = await records_of(lot, desk) if kept else await given_unkept(lot, desk)
    given = [one for one in records if _was_given(one)]
    reactions = await _reactions(given, event, desk)
    clusters = await _clusters(lot, desk, kept=kept)
    for standing in (one for one in clusters if one.resource["status"] not in ENDED):
        if f"AdverseEvent/{event['id']}" in reactions_on(standing.resource):
            return Changes.none()
        return Changes(save=[successor(standing, **with_reaction(standing.resource, event, now=desk.now))])
    seen = {reference for one in clusters for reference in reactions_on(one.resource)}
    new = [one for one in reactions if one.reference not in seen]  # what an earlier nonconformity dealt with
    figures = stands_out(len(given), new, limits_of(desk))
    if figures is None:
        return Changes.none()
    task = as_cluster(desk.new_id(), lot, figures, [one.reference for one in new], now=desk.now, kept=kept)
    told = [who for role in TOLD for who in await holders(role, desk)]
    notices = [Save(as_told_of(desk.new_id(), task, who, now=desk.now)) for who in dict.fromkeys(told) if who]
    name = (
        f"Medication/{lot['id']}"
        if kept
        else f"{' '.join(code for _, code in codes_in(lot.get('code')))} {lot_number(lot)}"
    )
    return Changes(save=[Save(task), *notices], keys=[f"cluster:{name}:{len(clusters)}"])


async def _clusters(lot: Resource, desk: Desk, *, kept: bool) -> list[Stored]:
    """The nonconformities of a lot that were opened before, also when nobody had entered it yet."""
    asked = [f"Task?code=nonconformity&identifier={LOT_NUMBER}|{quote(lot_number(lot), safe='')}"]
    asked += [f"Task?code=nonconformity&focus=Medication/{lot['id']}"] if kept else []
    found = {one.reference: one for each in await desk.searches(asked) for one in each}
    return [one for one in found.values() if not one.source and is_of(one.resource, lot, kept=kept)]


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


async def _lots(event: Resource, desk: Desk) -> list[tuple[Resource, bool]]:
    """The lots of the injections that are suspected, each once, and whether it is kept here."""
    found: list[tuple[Resource, bool]] = []
    for suspect in suspects_of(event, "MedicationAdministration"):
        stored = await desk.read(suspect)
        for lot, kept in await _lots_of(stored.resource, desk) if stored is not None else []:
            if not any(
                kept == also and (lot["id"] == other["id"] if kept else same_lot(lot, other)) for other, also in found
            ):
                found.append((lot, kept))
    return found


async def _lots_of(administration: Resource, desk: Desk) -> list[tuple[Resource, bool]]:
    contained = contained_lot(administration)
    if contained is not None:
        numbered_so = await desk.search(numbered(lot_number(contained)))
        kept = [(one.resource, True) for one in numbered_so if same_lot(one.resource, contained)]
        return kept or [(contained, False)]
    reference = lot_reference(administration)
    lot = await desk.read(reference) if reference else None
    return [(lot.resource, True)] if lot is not None and lot_number(lot.resource) else []
