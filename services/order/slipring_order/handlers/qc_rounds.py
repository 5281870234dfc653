"""`Device/[id]/$enter-qc` and `Task/[id]/$review-qc`: a round of tests is entered by one person and settled by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.outcome import FhirError, conflict, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Write, successor

from slipring_order.equipment import round as rounds
from slipring_order.equipment.values import values_in
from slipring_order.handlers.qc_recording import answered, held_against, recorded, values_of
from slipring_order.handlers.reception import performer_who_may
from slipring_order.handlers.reminding import reminder
from slipring_order.handlers.scanner_tests import scanner_stands
from slipring_order.reading import instant, moment, reference_of
from slipring_order.rooms.booking import demand_a_ct
from slipring_order.rooms.measured import is_past
from slipring_order.rooms.scanner_standard import CONSTANCY, kinds
from slipring_order.rooms.scanners import judged_fitness, measured_on
from slipring_order.rooms.testing import Held


async def entered(call: Call, desk: Desk) -> Changes:
    """Enter the values of a round: a new one, or what is missing of one that was measured from images."""
    device, who = demand_a_ct(call.target, "Device.type"), await performer_who_may("test-scanner", call, desk)
    values = values_in(call)
    measured = await _named(call, "round", device, desk)
    repeated = await _named(call, "repeats", device, desk)
    if not values and measured is None:
        raise _refused(call, "value", "At least one value is entered.", "至少录入一个数值。", "empty")
    kind = rounds.kind_of(measured.resource) if measured else _kind(call)
    at = measured.resource["executionPeriod"]["end"] if measured else _at(call, desk)
    task = measured.resource if measured else None
    found = await recorded(device, values, kind=kind, at=at, who=who, state=rounds.ENTERED, desk=desk, round=task)
    members: dict[str, Any] = {"owner": {"reference": who}, "note": _noted(found.round, call, who, desk)}
    members["output"] = found.round["output"]
    if (phantom := reference_of(call.value("phantom"))) and await _known_device(phantom, call, desk):
        members["input"] = rounds.with_input(found.round, "phantom", phantom)
    if repeated is not None:
        source = {**found.round, **({"input": members["input"]} if "input" in members else {})}
        members["input"] = rounds.with_input(source, "repeats", repeated.reference)
        _demand_open_repeat(repeated, call)
    members = {name: value for name, value in members.items() if value}
    save = rounds.moved(measured, "enter", desk.now, **members) if measured else Save({**found.round, **members})
    return Changes(save=[save]).plus(found.changes).plus(Changes(answer=answered(save.resource, found, desk)))


async def reviewed(call: Call, desk: Desk) -> Changes:
    """Approve a round, have it repeated, or mark it as entered in error; never by whoever entered it.

    Approved, its values are final and count. To be repeated, what failed stands until the repeat passes, the rest counts
    for nothing. Entered in error, none of it counts.
    """
    task = _round(call)
    who = await performer_who_may("approve-scanner-test", call, desk)
    decision = str(call.value("decision") or "")
    if decision not in rounds.DECISIONS:
        raise _refused(
            call, "decision", f"decision is one of {', '.join(rounds.DECISIONS)}.",
            f"decision 须为下列之一：{', '.join(rounds.DECISIONS)}。", "decision",
        )  # fmt: skip
    if decision != "approved" and not str(call.value("note") or "").strip():
        raise _refused(call, "note", "Say why it is not approved.", "请说明不批准的原因。", "reason")
    if who == reference_of(task.resource.get("owner")):
        raise _refused(
            call, "performer", "A round is settled by somebody else than who entered it.",
            "质控结果须由录入者以外的人员审核。", "second",
        )  # fmt: skip
    members = {
        "output": rounds.with_outputs(task.resource, "approver", [who]),
        "note": _noted(task.resource, call, who, desk),
    }
    save = rounds.moved(task, decision, desk.now, **{name: value for name, value in members.items() if value})
    followed = await _settled(task, decision, desk)
    return Changes(save=[save], answer=save.resource).plus(followed)


async def round_written(write: Write, desk: Desk) -> Changes:
    """A round is made and moved by the operations alone: whoever reads it believes that two people stood for it."""
    raise unprocessable(
        "A round of tests is made by Device/$enter-qc and settled by Task/$review-qc.",
        "质控轮次由 Device/$enter-qc 产生、由 Task/$review-qc 审核，不可直接写入。",
        at="Task.code",
        detail="order.qc-round-by-operation",
    )


async def _settled(task: Stored, decision: str, desk: Desk) -> Changes:
    device = await desk.read(reference_of(task.resource.get("focus")))
    if device is None:
        raise not_found(reference_of(task.resource.get("focus")))
    every = [one.resource for one in await measured_on(device.reference, desk)]
    held = held_against(every, desk)
    saves = [
        successor(one, status=_status(one.resource, decision, held)) for one in await values_of(task.resource, desk)
    ]
    after = {save.resource["id"]: save.resource for save in saves}
    if decision == "approved":
        saves += await _repeated(task, desk)
    now = [after.get(one["id"], one) for one in every]
    was_fit, now_fit = (judged_fitness(device.resource, trees, desk) for trees in (every, now))
    followed = await scanner_stands(device, was_fit, now_fit, desk)
    return Changes(save=saves).plus(followed).plus(reminder(device.reference))


def _status(observation: Resource, decision: str, held: Mapping[str, Held]) -> str:
    if decision == "approved":
        return "final"
    if decision == "rejected":
        return "entered-in-error"
    against = held.get(f"Observation/{observation['id']}")
    return "preliminary" if against is not None and against.passes is False else "cancelled"


async def _repeated(task: Stored, desk: Desk) -> list[Save]:
    """The round that this one repeats is done with, and what that one repeats; one that another repeat settled is so already."""
    saves = []
    earlier = await desk.read(reference_of(rounds.given(task.resource, "repeats")))
    while earlier is not None and rounds.state_of(earlier.resource) == "to-repeat":
        saves.append(rounds.moved(earlier, "repeated", desk.now))
        earlier = await desk.read(reference_of(rounds.given(earlier.resource, "repeats")))
    return saves


def _round(call: Call) -> Stored:
    if call.target is None or not rounds.is_round(call.target.resource):
        raise not_found("Task")
    return call.target


async def _named(call: Call, name: str, device: Stored, desk: Desk) -> Stored | None:
    """The round that a parameter names; it must be this scanner's."""
    reference = reference_of(call.value(name))
    if call.value(name) is None:
        return None
    found = await desk.read(reference) if reference.startswith("Task/") else None
    if (
        found is None
        or not rounds.is_round(found.resource)
        or reference_of(found.resource["focus"]) != device.reference
    ):
        raise _refused(call, name, "This is no round of this scanner.", "该轮次不属于本设备。", "round")
    return found


def _demand_open_repeat(repeated: Stored, call: Call) -> None:
    if rounds.state_of(repeated.resource) != "to-repeat":
        raise conflict(
            "Only a round that was sent back is repeated.", "只有退回重测的轮次才能重测。", at=call.at("repeats"),
            detail="order.qc-round-state",
        )  # fmt: skip


async def _known_device(reference: str, call: Call, desk: Desk) -> bool:
    if not reference.startswith("Device/") or await desk.read(reference) is None:
        raise _refused(call, "phantom", "The phantom is no Device on record.", "模体不是已登记的设备。", "phantom")
    return True


def _kind(call: Call) -> str:
    kind = str(call.value("kind") or CONSTANCY)
    if kind not in kinds():
        known = ", ".join(kinds())
        raise _refused(call, "kind", f"kind is one of {known}.", f"kind 须为下列之一：{known}。", "kind")
    return kind


def _at(call: Call, desk: Desk) -> str:
    said = call.value("at")
    if said is None:
        return instant(desk.now)
    at = moment(said, desk.settings.zone)
    if at is None or not is_past(at, desk.now):
        raise _refused(
            call,
            "at",
            "`at` is a moment, or a day, that is not in the future.",
            "at 须为不晚于现在的日期或时刻。",
            "at",
        )
    return instant(at)


def _noted(task: Resource, call: Call, who: str, desk: Desk) -> list[Resource]:
    text = str(call.value("note") or "").strip()
    said = [{"authorReference": {"reference": who}, "time": instant(desk.now), "text": text}] if text else []
    return [*task.get("note", []), *said]


def _refused(call: Call, name: str, en: str, zh: str, detail: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail=f"order.qc-round-{detail}")
