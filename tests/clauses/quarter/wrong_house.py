"""Faults of licences, leaders, rooms, gear and equipment."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from slipring_demo.cast import C
from slipring_order.department.standing import AGREEMENT_PARTS

from tests.support.staffing import a_device, held

from .faults import faults
from .living import Quarter
from .loading import loaded
from .standing import certificates, checked, document
from .wrong import Left, changed, fault, found, refusal

Tree = dict[str, Any]


def day_of(id: str) -> str:
    """The date of a fault."""
    return str(date(2026, 7, 1) + timedelta(days=next(one.day for one in faults() if one.id == id) - 1))


def lapses(id: str, paper: str) -> None:
    """A paper ends on the day of the fault."""

    @fault(id)
    async def ended(quarter: Quarter) -> Left:
        kept = await quarter.department.get(quarter.at[paper])
        context = kept["context"] | {"period": kept["context"]["period"] | {"end": day_of(id)}}
        return found(await changed(quarter, quarter.at[paper], context=context))


lapses("permit-lapsed", "radiodiagnosis-licence")
lapses("practice-licence-lapsed", "practice-licence")
lapses("safety-licence-lapsed", "radiation-safety-licence")
lapses("equipment-licence-lapsed", "large-equipment-licence")
lapses("agreement-lapsed", "service-agreement")


@fault("room-check-overdue")
async def room(quarter: Quarter) -> Left:
    return await _last_check(quarter, "room-check", quarter.at["hospital"], quarter.at["hospital"])


def overdue(id: str, form: str, kind: str) -> None:
    """The checks of a device after the first of the quarter are taken back as entered in error, or were never made."""

    @fault(id)
    async def late(quarter: Quarter) -> Left:
        return await _last_check(quarter, form, quarter.at[kind], quarter.at[kind])


async def _last_check(quarter: Quarter, form: str, subject: str, place: str) -> Left:
    url = f"{C}/Questionnaire/staff-and-rooms-{form}"
    last = ""
    for one in await quarter.department.found(f"QuestionnaireResponse?questionnaire={url}&subject={subject}&_count=50"):
        name = f"QuestionnaireResponse/{one['id']}"
        if one["authored"] > "2026-07-01":
            await changed(quarter, name, status="entered-in-error")
        else:
            last = await changed(quarter, name, authored="2025-05-02T02:00:00Z")
    return found(last, {"": place})


overdue("gear-check-overdue", "gear-check", "protective-gear-adult")
overdue("second-supply-untested", "supply-check", "second-supply")
overdue("crash-cart-overdue", "crash-cart-check", "crash-cart")


@fault("rescue-drug-expired")
async def drug(quarter: Quarter) -> Left:
    """Of a second cart, so that the first is overdue only."""
    made_ = await loaded(quarter.department, [("second cart", bare(a_device("x", "crash-cart")))])
    cart = made_["second cart"]
    response = checked("crash-cart-check", cart, "2026-09-28T02:00:00Z")
    for item in response["item"]:
        if item["linkId"] == "adrenaline":
            item["answer"] = [{"valueDate": day_of("rescue-drug-expired")}]
    author = {"author": {"reference": quarter.at["technologist"]}}
    place = (await loaded(quarter.department, [("second cart check", response | author)]))["second cart check"]
    return found(place, {"": cart})


@fault("gear-too-thin")
async def thin(quarter: Quarter) -> Left:
    lead = {"type": {"coding": [{"system": f"{C}/CodeSystem/gear-property", "code": "lead-equivalent"}]}}
    apron = bare(
        a_device("x", "protective-gear-child", property=[lead | {"valueQuantity": [{"value": 0.35, "unit": "mmPb"}]}])
    )
    return refusal(await quarter.department.post("Device", apron))


def retired(id: str, kind: str) -> None:
    """The only device of a kind is taken out of use."""

    @fault(id)
    async def gone(quarter: Quarter) -> Left:
        await changed(quarter, quarter.at[kind], status="inactive")
        return found("", {"": quarter.at[kind]}, kind.replace("-", " "))


retired("no-rescue-equipment", "injector")
retired("no-phantom", "phantom")


@fault("head-of-too-low-title")
async def head(quarter: Quarter) -> Left:
    low = [held("attending-physician", system=f"{C}/CodeSystem/staff-title"), *certificates()]
    await changed(quarter, quarter.at["head"], qualification=low)
    return found(quarter.at["head"])


@fault("no-diagnostic-lead")
async def undiagnosed(quarter: Quarter) -> Left:
    """The second reader, an associate chief, has eight years; the head is no chief any more."""
    kept = [one for one in certificates() if one["code"]["coding"][0]["code"] != "imaging-diagnosis"]
    title = held("associate-chief-physician", system=f"{C}/CodeSystem/staff-title")
    await changed(
        quarter, quarter.at["second reader"], qualification=[title, *kept, held("imaging-diagnosis", "2018-06-01")]
    )
    return found("", {"": quarter.at["second reader"]})


@fault("no-technical-lead")
async def unled(quarter: Quarter) -> Left:
    post = await quarter.department.get(quarter.at["technical lead role"])
    await changed(
        quarter, quarter.at["technical lead role"], period=post["period"] | {"end": day_of("no-technical-lead")}
    )
    kept = [one for one in certificates() if one["code"]["coding"][0]["code"] != "ct-operation"]
    title = held("supervising-technologist", system=f"{C}/CodeSystem/staff-title")
    await changed(quarter, quarter.at["physicist"], qualification=[title, *kept, held("ct-operation", "2022-08-01")])
    await changed(quarter, quarter.at["technical lead"], active=False)
    return found("", {"": quarter.at["technical lead"]})


@fault("work-of-less-than-two-years", turn=2)
async def young(quarter: Quarter) -> Left:
    kept = await quarter.department.get(quarter.at["practice-licence"])
    context = kept["context"] | {"period": {"start": "2025-07-01", "end": "2027-12-31"}}
    return found(await changed(quarter, quarter.at["practice-licence"], context=context))


@fault("head-of-too-few-years", turn=2)
async def nine(quarter: Quarter) -> Left:
    kept = [one for one in certificates() if one["code"]["coding"][0]["code"] != "imaging-diagnosis"]
    title = held("associate-chief-physician", system=f"{C}/CodeSystem/staff-title")
    await changed(quarter, quarter.at["head"], qualification=[title, *kept, held("imaging-diagnosis", "2017-06-01")])
    return found(quarter.at["head"])


@fault("agreement-of-six-parts", turn=2)
async def agreement(quarter: Quarter) -> Left:
    """A newer agreement than the one that lapses, which lacks a part."""
    parts = [part for part in AGREEMENT_PARTS if part != "unexpected-results"]
    paper = document("service-agreement", "2026-06-30", "2027-06-30", *parts)
    return found((await loaded(quarter.department, [("six parts", paper)]))["six parts"])


def bare(resource: Tree) -> Tree:
    """Without an id: the server gives one."""
    return {name: value for name, value in resource.items() if name != "id"}
