"""Faults of licences, leaders, rooms, gear and equipment."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from slipring_demo.cast import C, scanner
from slipring_order.department.standing import AGREEMENT_PARTS

from tests.support.staffing import a_device, a_test, held

from .faults import faults
from .living import Quarter
from .loading import loaded
from .standing import CHECKED, VALUES, certificates, checked, document, measured
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
    made_ = await loaded(quarter.department, [("second cart", _bare(a_device("x", "crash-cart")))])
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
    apron = _bare(
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


async def _another_scanner(quarter: Quarter, name: str, *codes: str, **members: Any) -> str:
    """A second scanner, with these tests."""
    kept = await quarter.department.get(quarter.at["scanner"])
    other = (
        scanner()
        | {"identifier": [{"system": f"{C}/sid/ae-title", "value": name.upper()}], "property": kept["property"]}
        | members
    )
    place = (await loaded(quarter.department, [(name, {k: v for k, v in other.items() if v is not None})]))[name]
    tests = [(f"{name} {code}", _bare(a_test(code, code, place, CHECKED))) for code in codes]
    values = [
        (f"{name} {test}", measured(test, number, f"{day_of('qc-not-reviewed')}T02:00:00Z", place))
        for test, number in VALUES.items()
    ]
    quarter.at |= {name: place} | await loaded(quarter.department, [*tests, *values])
    return place


ALL_TESTS = ("acceptance-test", "status-test", "constancy-test", "calibration")


@fault("calibration-lapsed")
async def calibration(quarter: Quarter) -> Left:
    until = [{"url": f"{C}/StructureDefinition/next-due", "valueDate": day_of("calibration-lapsed")}]
    return found(await changed(quarter, quarter.at["calibration"], extension=until))


@fault("status-test-overdue")
async def status(quarter: Quarter) -> Left:
    until = [{"url": f"{C}/StructureDefinition/next-due", "valueDate": day_of("status-test-overdue")}]
    return found(await changed(quarter, quarter.at["status-test"], extension=until))


@fault("acceptance-test-missing")
async def unaccepted(quarter: Quarter) -> Left:
    place = await _another_scanner(quarter, "second scanner", *ALL_TESTS[1:])
    return found(place, {"": place}, "acceptance test")


@fault("scanners-not-compared")
async def uncompared(quarter: Quarter) -> Left:
    """The second scanner was taken into use, and no test was made on both in the quarter."""
    place = await _another_scanner(quarter, "third scanner", *ALL_TESTS)
    hers = {name: one for name, one in quarter.at.items() if name.startswith("third scanner ")}
    for name, one in hers.items():
        if name.removeprefix("third scanner ") in VALUES:
            await changed(quarter, one, effectiveDateTime=CHECKED)
    return found(place, hers, "compared")


@fault("scanner-out-of-scope")
async def outside(quarter: Quarter) -> Left:
    place = await _another_scanner(quarter, "fourth scanner", *ALL_TESTS, property=None)
    return found(place, says="scope")


@fault("qc-test-overdue")
async def unmeasured(quarter: Quarter) -> Left:
    """Of the first scanner: its last two months of water are taken back."""
    query = f"Observation?subject={quarter.at['scanner']}&code=water&date=ge2026-07-15&_count=50"
    for one in await quarter.department.found(query):
        await changed(quarter, f"Observation/{one['id']}", status="entered-in-error")
    [*_, last] = sorted(
        await quarter.department.found(f"Observation?subject={quarter.at['scanner']}&code=water&status=final"),
        key=lambda one: str(one["effectiveDateTime"]),
    )
    return found(f"Observation/{last['id']}", says="overdue")


@fault("qc-limit-exceeded-in-use")
async def beyond(quarter: Quarter) -> Left:
    at = f"{day_of('qc-limit-exceeded-in-use')}T02:00:00Z"
    place = (
        await loaded(
            quarter.department, [("beyond", measured("uniformity", 9.0, at, quarter.at["scanner"], "constancy"))]
        )
    )["beyond"]
    for one in await quarter.department.found(
        f"Observation?subject={quarter.at['scanner']}&code=uniformity&date=gt{at[:10]}"
    ):
        await changed(quarter, f"Observation/{one['id']}", status="entered-in-error")
    return found(place, says="out of limits")


@fault("qc-not-reviewed")
async def unreviewed(quarter: Quarter) -> Left:
    at = f"{day_of('qc-not-reviewed')}T02:00:00Z"
    value = measured("noise", 0.29, at, quarter.at["scanner"], "constancy") | {"status": "preliminary"}
    return found((await loaded(quarter.department, [("unreviewed", value)]))["unreviewed"])


@fault("head-of-too-low-title")
async def head(quarter: Quarter) -> Left:
    low = [held("attending-physician", system=f"{C}/CodeSystem/staff-title"), *certificates()]
    await changed(quarter, quarter.at["head"], qualification=low)
    return found(quarter.at["head role"], {"": quarter.at["head"]})


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
    return found(quarter.at["head role"], {"": quarter.at["head"]})


@fault("agreement-of-six-parts", turn=2)
async def agreement(quarter: Quarter) -> Left:
    """A newer agreement than the one that lapses, which lacks a part."""
    parts = [part for part in AGREEMENT_PARTS if part != "unexpected-results"]
    paper = document("service-agreement", "2026-06-30", "2027-06-30", *parts)
    return found((await loaded(quarter.department, [("six parts", paper)]))["six parts"])


def _bare(resource: Tree) -> Tree:
    return {name: value for name, value in resource.items() if name != "id"}
