"""What outside writes may not do: move a case by hand, rewrite its attempts, or keep a route that rings nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Wake, Write

from slipring_critical.cases.dialogue import is_of_a_conversation
from slipring_critical.cases.facts import (
    CASE_STATE,
    CHANNEL,
    LADDER_SNAPSHOT,
    ROUTE_OF,
    can_ring,
    code_of,
    first_reference,
    is_case,
    reference_of,
)
from slipring_critical.channels import CHANNELS
from slipring_critical.directory.desk import desk_looked
from slipring_critical.directory.kept_secrets import Kept, issues_of, kept_of, members_of, to_keep
from slipring_critical.directory.people import demand_keeper, owners_of, reachable, routes_in_force
from slipring_critical.directory.proving import Check, channel_of, check_of, with_check
from slipring_critical.directory.watching import looks
from slipring_critical.ladders.ladder import FALLBACK
from slipring_critical.lifecycle import OPEN
from slipring_critical.ringing.checking import asked, code_key, due, due_key, settled
from slipring_critical.ringing.reply_codes import code_in


async def task_written(write: Write, desk: Desk) -> Changes:
    """A case opens from a flag and moves by its operations only; imported history is stored as it is.

    An imported case that is still open goes on here, so it brings the ladder that it rings by.
    """
    before = write.before.resource if write.before else {}
    if write.imported and write.method != "delete" and is_case(write.resource):
        _demand_that_it_can_ring(write.resource)
    if write.imported or not (is_case(write.resource) or is_case(before)):
        return Changes.none()
    raise conflict(
        "A critical case opens from a flagged finding and moves by $acknowledge and $act only.",
        "危急值任务由危急值标记生成，只能通过 $acknowledge 和 $act 变更。",
        at="Task.code",
        detail="critical.case-by-operation",
    )


def _demand_that_it_can_ring(case: Resource) -> None:
    if code_of(case.get("businessStatus"), CASE_STATE) not in OPEN or can_ring(case):
        return
    raise unprocessable(
        "An open case is imported with the ladder that it rings by (extension ladder-snapshot) and with authoredOn; "
        "what is to be told now is opened by Task/$open-case.",
        "导入未关闭的危急值须带有其通知阶梯（扩展 ladder-snapshot）和 authoredOn；现在要通知的请用 Task/$open-case。",
        at=f"Task.extension('{LADDER_SNAPSHOT}')",
        detail="critical.imported-without-ladder",
    )


async def communication_written(write: Write, desk: Desk) -> Changes:
    """The attempts of a case are the service's own record."""
    standing = write.before.resource if write.before else {}
    case = first_reference(standing.get("partOf"), "Task") or first_reference(write.resource.get("partOf"), "Task")
    stored = await desk.read(case) if case else None
    of_a_case = stored is not None and is_case(stored.resource)
    if write.imported or not (of_a_case or _of_a_reply(standing) or _of_a_reply(write.resource)):
        return Changes.none()
    raise conflict(
        "The attempts of a critical case are written by the service; use $acknowledge to record an answer.",
        "危急值的通知记录由系统生成；请用 $acknowledge 记录应答。",
        at="Communication.partOf",
        detail="critical.attempt-by-service",
    )


def _of_a_reply(communication: Resource) -> bool:
    return is_of_a_conversation(communication) or bool(code_in(communication))


async def route_written(write: Write, desk: Desk) -> Changes:
    """A contact route is checked when it is saved, not when it is needed: channel, owner and address."""
    await demand_keeper(desk, "Endpoint")
    connection = write.resource.get("connectionType", {})
    before = write.before.resource.get("connectionType", {}) if write.before else {}
    if CHANNEL not in (connection.get("system"), before.get("system")):
        return Changes.none()
    seen = (await looks(desk)).plus(await _desk_looked(write, desk))
    if write.method == "delete" or connection.get("system") != CHANNEL or write.resource.get("status") != "active":
        keys = (due_key(write.reference), code_key(write.reference))
        seen = seen.plus(Changes(save=await settled(write.reference, desk), cancel=keys))
    if write.method == "delete" or connection.get("system") != CHANNEL:
        return seen
    kept = await _kept(write, desk)
    return kept if seen.nothing else kept.plus(seen)


async def _desk_looked(write: Write, desk: Desk) -> Changes:
    """The desk's own route comes or goes: whether one is left is told by those beside it."""
    stands = write.method != "delete" and write.resource.get("status") == "active"
    is_its = FALLBACK in owners_of(write.resource) and stands
    if not is_its and (write.before is None or FALLBACK not in owners_of(write.before.resource)):
        return Changes.none()
    others = [one for one in await routes_in_force(desk) if f"Endpoint/{one['id']}" != write.reference]
    return await desk_looked(
        desk, staffed=is_its or bool(desk.settings.fallback_route) or reachable([FALLBACK], others)
    )


async def _kept(write: Write, desk: Desk) -> Changes:
    """What is stored of a route: masked, with what nobody may read back locked in it."""
    channel = CHANNELS.get(write.resource["connectionType"].get("code", ""))
    owner = _owner(write.resource)
    if channel is None:
        raise FhirError(422, [one for one in (_unknown_channel(), owner) if one])
    before = write.before.resource if write.before else None
    kept = to_keep(write.resource, before, desk.vault)
    issues = issues_of(write.resource, kept, before)
    # Some read an address by a library that takes its time to load.
    judged = None if issues else await asyncio.to_thread(channel.judge, kept.address, desk.settings.endpoints)
    issues += [one for one in (owner, judged) if one]
    if issues:
        raise FhirError(422, issues)
    known, wake = _proven(write.resource, before, kept, write.reference, desk)
    members = members_of({**write.resource, "extension": with_check(write.resource, known)}, kept, desk.vault)
    return Changes(wake=wake, members={name: one for name, one in members.items() if one != write.resource.get(name)})


def _proven(
    endpoint: Resource, before: Resource | None, kept: Kept, reference: str, desk: Desk
) -> tuple[Check, Sequence[Wake]]:
    """What is known of a route as it is written: of one that leads elsewhere now nothing, so a code is sent over it."""
    standing, leaves = check_of(before or {}), CHANNELS[channel_of(endpoint)].leaves
    same = before is not None and _leads(before, kept_of(before, desk.vault)) == _leads(endpoint, kept)
    if endpoint.get("status") != "active":
        return (replace(standing, until=None, tries=0, locked="") if same else Check()), ()
    if same and before is not None and before.get("status") == "active":
        return standing, ()
    if (same and standing.verified) or not leaves:
        return (standing if same else Check()), [due(reference)]
    return asked(reference, Check(), desk)


def _leads(endpoint: Resource, kept: Kept) -> tuple[str, str, frozenset[str]]:
    return channel_of(endpoint), kept.address, frozenset(owners_of(endpoint))


def _unknown_channel() -> Issue:
    known = ", ".join(CHANNELS)
    return Issue(
        "business-rule",
        zh=f"未知的通道；可用：{known}。",
        en=f"Unknown channel; known: {known}.",
        at="Endpoint.connectionType",
        detail="critical.unknown-channel",
    )


def _owner(endpoint: Resource) -> Issue | None:
    owners = [e for e in endpoint.get("extension", []) if e.get("url") == ROUTE_OF]
    if any(reference_of(e.get("valueReference")) or e.get("valueCode") for e in owners):
        return None
    return Issue(
        "required",
        zh="联系方式须指明归属：人员、病区或岗位（扩展 route-of）。",
        en="A contact route names whose it is: a person, a ward or an office (extension route-of).",
        at=f"Endpoint.extension('{ROUTE_OF}')",
        detail="critical.route-of-missing",
    )
