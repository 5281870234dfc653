"""Contact routes as their owners see them: how each stands, a code asked for, said back, a test answered by one tap."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from slipring.fhir.outcome import FhirError, Issue, as_operation_outcome, conflict, forbidden, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored

from slipring_critical.cases.resources import instant
from slipring_critical.channels import CHANNELS
from slipring_critical.directory.people import KEEP, lacking, names_of, owners_of, routes_in_force
from slipring_critical.directory.proving import Check, as_known, channel_of, check_of, state_of
from slipring_critical.ringing.checking import asked, proven


async def routes_told(call: Call, desk: Desk) -> Changes:
    """The contact routes of the person who asks; `all`: everybody's, for whoever keeps the directory. Where there is none, why."""
    me = desk.caller.practitioner or ""
    every = call.value("all") is True
    if every and me and (lacks := await lacking(desk, KEEP, me)):
        raise forbidden(
            f"The whole directory is for whoever keeps it: {lacks[0].en}", f"全部联系方式仅供维护人员查看：{lacks[0].zh}",
            at=call.at("all"), detail="critical.routes-keeper",
        )  # fmt: skip
    mine = set(await names_of(desk, me)) if me else set()
    found = []
    for endpoint in await routes_in_force(desk):
        own = bool(mine & set(owners_of(endpoint)))
        if every or own:
            found.append(_as_route(endpoint, own, desk))
    if not found:
        why = as_operation_outcome([_none(person=bool(me), every=every)])
        found = [{"name": "outcome", "resource": why}]
    return Changes(answer={"resourceType": "Parameters", "parameter": found})


def _none(*, person: bool, every: bool) -> Issue:
    """Why no route is told: nothing is wrong with the question."""
    en, zh = "No contact route is registered here.", "尚未登记任何联系方式。"
    if not every and person:
        en, zh = "No contact route is registered to this person or a role of his.", "此人及其岗位没有登记联系方式。"
    elif not every:
        en = "The client that asks is no person, and so has no contact route of its own; with all it is told everybody's."
        zh = "调用方不是人员，没有自己的联系方式；参数 all 可列出全部。"
    return Issue("informational", zh=zh, en=en, severity="information", detail="critical.no-routes")


async def code_asked(call: Call, desk: Desk) -> Changes:
    """Another code over a route, in the place of any that is out."""
    route = await _own(call, desk)
    check, rhythm = check_of(route.resource), desk.settings.rhythm
    if not CHANNELS[channel_of(route.resource)].leaves:
        raise unprocessable(
            "Nothing is sent over this channel, so there is nothing to prove.", "该渠道不外发消息，无需验证。",
            at="Endpoint.connectionType", detail="critical.route-needs-no-code",
        )  # fmt: skip
    if check.asked is not None and desk.now < check.asked + rhythm.pause:
        raise conflict(
            "A code was sent a moment ago: wait for it, then ask again.", "验证码刚刚发出：请稍候再试。",
            at="Endpoint", detail="critical.route-code-just-sent",
        )  # fmt: skip
    known, wake = asked(route.reference, check, desk)
    return Changes(
        save=[as_known(route, known)], wake=wake, answer={"resourceType": "Parameters", "parameter": _parts(known)}
    )


async def code_said(call: Call, desk: Desk) -> Changes:
    """The code said back proves the route; a wrong one costs a try."""
    route = await _own(call, desk)
    said = unicodedata.normalize(
        "NFKC", str(call.value("code") or "")
    )  # digits as wide as a Chinese keyboard writes them
    return await _answered(route, "".join(said.split()), call, desk)


async def test_answered(call: Call, desk: Desk) -> Changes:
    """The link of a test: whoever holds it tapped. It answers tests; a new route is proven by its owner's code alone."""
    route = _known(call.target)
    if check_of(route.resource).verified is None:
        raise conflict(
            "A new contact route is proven by its code.", "新的联系方式须输入验证码验证。",
            at=call.at("link"), detail="critical.route-code-needed",
        )  # fmt: skip
    return await _answered(route, str(call.value("link") or ""), call, desk, link=True)


async def _answered(route: Stored, said: str, call: Call, desk: Desk, *, link: bool = False) -> Changes:
    check = check_of(route.resource)
    if check.until is None or desk.now >= check.until or check.tries < 1:
        raise conflict(
            "No code is out for this contact route, or its time is over: ask for another.", "没有有效的验证码，或已过期：请重新获取。",
            at="Endpoint", detail="critical.route-code-over",
        )  # fmt: skip
    if check.fits(said, desk.vault, link=link):
        done = await proven(route, desk)
        return done.plus(Changes(answer={"resourceType": "Parameters", "parameter": _parts(Check(desk.now))}))
    left = check.tries - 1
    issue = Issue(
        "business-rule", zh=f"验证码不符，还可尝试 {left} 次。", en=f"This is not the code that was sent; tries left: {left}.",
        at=call.at("link" if link else "code"), detail="critical.route-code-wrong",
    )  # fmt: skip
    return Changes(save=[as_known(route, replace(check, tries=left))], refuse=FhirError(422, [issue]))


def _known(route: Stored | None) -> Stored:
    if route is None or channel_of(route.resource) not in CHANNELS or route.resource.get("status") != "active":
        raise not_found("Endpoint")
    return route


async def _own(call: Call, desk: Desk) -> Stored:
    """A route of the caller's own; of an office or a place, of whoever keeps the directory. The hospital's systems by their scopes."""
    route, me = _known(call.target), desk.caller.practitioner or ""
    if not me:
        return route
    owners = set(owners_of(route.resource))
    if owners & set(await names_of(desk, me)):
        return route
    if any(one.startswith(("Practitioner/", "PractitionerRole/")) for one in owners) or await lacking(desk, KEEP, me):
        raise forbidden(
            "A contact route is proven by its owner; that of an office or a ward by whoever keeps the directory.",
            "联系方式由本人验证；岗位和病区的由通讯录维护人员验证。",
            at="Endpoint.extension",
            detail="critical.route-not-yours",
        )
    return route


def _as_route(endpoint: Resource, own: bool, desk: Desk) -> Resource:
    check = check_of(endpoint)
    parts: list[Resource] = [
        {"name": "endpoint", "valueReference": {"reference": f"Endpoint/{endpoint['id']}"}},
        {"name": "channel", "valueCode": channel_of(endpoint)},
        {"name": "address", "valueString": str(endpoint.get("address", "-"))},
        {"name": "state", "valueCode": state_of(endpoint, desk.now, desk.settings.rhythm)},
        {"name": "mine", "valueBoolean": own},
    ]
    for owner in owners_of(endpoint):
        known = {"valueReference": {"reference": owner}} if "/" in owner else {"valueCode": owner}
        parts.append({"name": "owner" if "/" in owner else "office", **known})
    return {"name": "route", "part": [*parts, *_parts(check)]}


def _parts(check: Check) -> list[Resource]:
    """When it was proven, and the code that is out."""
    parts: list[Resource] = []
    if check.verified is not None:
        parts.append({"name": "verified", "valueInstant": instant(check.verified)})
    if check.until is not None:
        parts.append({"name": "until", "valueInstant": instant(check.until)})
        parts.append({"name": "tries", "valueInteger": check.tries})
    if check.failed:
        parts.append({"name": "failed", "valueCode": check.failed})
    return parts
