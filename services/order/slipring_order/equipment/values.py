"""The values of a round as they are entered or measured, as Observations on the Device. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import CANONICAL, Call, Resource

from slipring_order.equipment.round import ROUND_SYSTEM
from slipring_order.rooms.measured import (
    ABSENT,
    KIND_SYSTEM,
    NOT_APPLICABLE,
    TEST_SYSTEM,
    UCUM,
    amount_in,
    goes_together,
    is_possible,
)  # fmt: skip
from slipring_order.rooms.scanner import SCANNER_PROPERTY
from slipring_order.rooms.scanner_standard import bands, bounds_of, kinds, possible, tests, unit_of
from slipring_order.rooms.testing import Held

VERDICT_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-test-verdict"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a test; `value` None: the test is not applicable to this scanner, such as a gantry that cannot tilt."""

    test: str
    value: Decimal | None
    nominal: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where a value says its test, its number and the nominal one; `number`: where below a Quantity."""

    test: str
    quantity: str
    nominal: str
    number: str = ""


def values_in(call: Call) -> list[Value]:
    """The `value` parameters of a call; 422 with everything that is wrong, each at its place."""
    found, issues = [], list[Issue]()
    seen: set[tuple[str, Decimal | None]] = set()
    for place, one in enumerate(call.parameters.get("parameter", [])):
        if one.get("name") != "value":
            continue
        at = f"Parameters.parameter[{place}]"
        told = _told(one)
        problem = _problem(told, f"{at}.part")
        if problem is not None:
            issues.append(problem)
            continue
        value = _value(told)
        if (value.test, value.nominal) in seen:
            issues.append(_issue(at, "twice", f"{value.test}重复录入。", f"{value.test} stands here twice."))
        seen.add((value.test, value.nominal))
        found.append(value)
    if issues:
        raise FhirError(422, issues)
    return found


def as_observation(
    value: Value, *, id: str, round: str, scanner: str, kind: str, at: str, who: str, method: str = ""
) -> Resource:
    """A value as a preliminary Observation; `method`: how the images gave it, where they did."""
    said = tests()[value.test]
    quantity = {"unit": unit_of(value.test), "system": UCUM, "code": str(said["units"][0])}
    coded = {"system": TEST_SYSTEM, "code": value.test, "display": said["zh"]}
    tree: Resource = {
        "resourceType": "Observation",
        "id": id,
        "identifier": [{"system": ROUND_SYSTEM, "value": round}],
        "status": "preliminary",
        "code": {"coding": [coded], "text": f"{said['zh']} {said['en']}"},
        "subject": {"reference": scanner},
        "effectiveDateTime": at,
        "performer": [{"reference": who}] if who else None,
        "method": {"coding": [{"system": KIND_SYSTEM, "code": kind, "display": kinds()[kind]["zh"]}]}
        | ({"text": method} if method else {}),
    }
    if value.value is None:
        tree["dataAbsentReason"] = {"coding": [{"system": ABSENT, "code": NOT_APPLICABLE}]}
    else:
        tree["valueQuantity"] = {"value": value.value, **quantity}
    if value.nominal is not None:
        wanted = {"coding": [{"system": SCANNER_PROPERTY, "code": bands(value.test)["component"]}]}
        tree["component"] = [{"code": wanted, "valueQuantity": {"value": value.nominal, **quantity}}]
    return {name: member for name, member in tree.items() if member is not None}


def with_limit(observation: Resource, held: Held) -> Resource:
    """The Observation with the limit that was applied: its bounds, its id and version, so that later editions change nothing."""
    if held.limit is None:
        return observation
    baseline = held.baseline.value if held.baseline else None
    bounds = bounds_of(held.result.test, held.limit, baseline, held.result.nominal) or (None, None)
    unit = observation.get("valueQuantity", {})
    kept = {name: unit[name] for name in ("unit", "system", "code") if name in unit}
    sides = {
        name: {"value": bound, **kept} for name, bound in zip(("low", "high"), bounds, strict=True) if bound is not None
    }
    applied = [{**sides, "text": f"{held.limit.id}|{held.limit.version}"}]
    if held.passes is None:
        return {**observation, "referenceRange": applied}
    verdict = {"system": VERDICT_SYSTEM, "code": "within" if held.passes else "beyond"}
    return {**observation, "referenceRange": applied, "interpretation": [{"coding": [verdict]}]}


def round_of(observation: Resource) -> str:
    """The id of the round that an Observation is a value of; empty when of none."""
    held = observation.get("identifier", [])
    return next((str(one.get("value", "")) for one in held if one.get("system") == ROUND_SYSTEM), "")


def in_a_round(observation: Resource) -> bool:
    """Whether an Observation is a value of a round."""
    return any(one.get("system") == ROUND_SYSTEM for one in observation.get("identifier", []))


def _told(parameter: Resource) -> dict[str, Any]:
    return {
        str(part["name"]): next((value for name, value in part.items() if name.startswith("value")), None)
        for part in parameter.get("part", [])
    }


def _value(told: Mapping[str, Any]) -> Value:
    test, nominal = str(told["test"]), told.get("nominal")
    return Value(
        test,
        None if told.get("notApplicable") else amount_in(told["quantity"], test),
        amount_in(nominal, test) if nominal else None,
    )


def _problem(told: Mapping[str, Any], at: str) -> Issue | None:
    quantity, nominal = (told[name] or {} if name in told else None for name in ("quantity", "nominal"))
    test, absent = str(told.get("test") or ""), bool(told.get("notApplicable"))
    return problem_of(test, quantity, nominal, absent=absent, at=Places(at, at, at))


def problem_of(
    test: str, quantity: Mapping[str, Any] | None, nominal: Mapping[str, Any] | None, *, absent: bool, at: Places
) -> Issue | None:
    """What keeps a value from being judged, entered or written; None when nothing does."""
    if test not in tests():
        known = ", ".join(tests())
        return _issue(at.test, "test", f"test 须为下列之一：{known}。", f"test is one of {known}.")
    if absent == (quantity is not None):
        return _issue(
            at.quantity,
            "value",
            "须给出 quantity 或 notApplicable 之一。",
            "It gives a quantity, or says notApplicable.",
        )
    component = str(bands(test).get("component", ""))
    if nominal is not None and not component:
        return _issue(at.nominal, "nominal", "该项目没有标称值。", "This test has no nominal value.")
    numbers = list[Decimal]()
    for said, what, place in ((quantity, test, at.quantity), (nominal, component, at.nominal)):
        if said is None:
            continue
        number = amount_in(said, test)
        if number is None:
            unit = tests()[test]["units"][0]
            return _issue(
                place, "unit", f"须为以 {unit} 或可换算为 {unit} 的单位表示的数值，不带比较符。",
                f"It is a number in {unit}, or in a unit that UCUM converts into it, without a comparator.",
            )  # fmt: skip
        numbers.append(number)
        if not is_possible(number, what) or not goes_together(numbers[0], *numbers[1:]):
            bounds = _bounds(what, unit_of(test))
            return _issue(
                f"{place}{at.number}", "size", f"没有设备会测得这样的数值（{bounds}）。",
                f"No scanner measures such a number ({bounds}).",
            )  # fmt: skip
    return None


def _bounds(what: str, unit: str) -> str:
    bounds = possible(what)
    return (
        f"> {bounds['above']}, ≤ {bounds['to']} {unit}"
        if "above" in bounds
        else f"{bounds['from']}–{bounds['to']} {unit}"
    )


def _issue(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("value", zh=zh, en=en, at=at, detail=f"order.qc-value-{detail}")
