"""Faults of scanners: their tests, their approval, their comparison, their scope."""

from __future__ import annotations

from typing import Any

from slipring_demo.cast import C, scanner

from tests.support.staffing import a_test

from .living import Quarter
from .loading import loaded
from .standing import CHECKED, VALUES, measured
from .wrong import Left, changed, fault, found
from .wrong_house import bare, day_of

Tree = dict[str, Any]


async def _another_scanner(quarter: Quarter, name: str, *codes: str, **members: Any) -> str:
    """A second scanner, with these tests."""
    kept = await quarter.department.get(quarter.at["scanner"])
    other = (
        scanner()
        | {"identifier": [{"system": f"{C}/sid/ae-title", "value": name.upper()}], "property": kept["property"]}
        | members
    )
    place = (await loaded(quarter.department, [(name, {k: v for k, v in other.items() if v is not None})]))[name]
    tests = [(f"{name} {code}", bare(a_test(code, code, place, CHECKED))) for code in codes]
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
    await changed(quarter, quarter.at["scanner-comparison"], status="entered-in-error")
    return found("", hers | {"": place}, "comparison of the scanners")


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
    return found(f"Observation/{last['id']}", {"": quarter.at["scanner"]}, "overdue")


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
