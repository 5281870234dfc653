"""The values of a round as they are entered or measured, as Observations on the Device. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import CANONICAL, Call, Resource

from slipring_order.equipment.round import ROUND_SYSTEM
from slipring_order.rooms.scanner import SCANNER_PROPERTY
from slipring_order.rooms.scanner_standard import bands, bounds_of, kinds, tests, unit_of
from slipring_order.rooms.testing import KIND_SYSTEM, TEST_SYSTEM, Held, measurable

VERDICT_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-test-verdict"
_UCUM = "http://unitsofmeasure.org"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a test; `value` None: the test is not applicable to this scanner, such as a gantry that cannot tilt."""

    test: str
    value: Decimal | None
    nominal: Decimal | None = None


def values_in(call: Call) -> list[Value]:
    """The `value` parameters of a call; 422 with everything that is wrong, each at its place."""
    found, issues = [], list[Issue]()
    seen: set[tuple[str, Decimal | None]] = set()
    for place, one in enumerate(call.parameters.get("parameter", [])):
        if one.get("name") != "value":
            continue
        at = f"Parameters.parameter[{place}]"
        told = _told(one)
        problem = _problem(told, at)
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
    quantity = {"unit": unit_of(value.test), "system": _UCUM, "code": str(said["units"][0])}
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
        tree["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": "not-applicable"}]}
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
    nominal = told.get("nominal")
    return Value(
        str(told["test"]),
        None if told.get("notApplicable") else Decimal(str(told["quantity"]["value"])),
        Decimal(str(nominal["value"])) if nominal else None,
    )


def _problem(told: Mapping[str, Any], at: str) -> Issue | None:
    test = str(told.get("test") or "")
    if test not in tests():
        known = ", ".join(tests())
        return _issue(f"{at}.part", "test", f"test 须为下列之一：{known}。", f"test is one of {known}.")
    absent = bool(told.get("notApplicable"))
    if absent == ("quantity" in told):
        return _issue(
            f"{at}.part",
            "value",
            "须给出 quantity 或 notApplicable 之一。",
            "It gives a quantity, or says notApplicable.",
        )
    if "nominal" in told and "component" not in bands(test):
        return _issue(f"{at}.part", "nominal", "该项目没有标称值。", "This test has no nominal value.")
    for quantity in _quantities(told, absent):
        units = tests()[test]["units"]
        fits = {quantity.get("code"), quantity.get("unit")} & set(units)
        if not fits or "value" not in quantity or quantity.get("comparator"):
            return _issue(
                f"{at}.part", "unit", f"须为以 {units[0]} 为单位的数值，不带比较符。",
                f"It is a number in {units[0]} without a comparator.",
            )  # fmt: skip
        if not measurable(quantity["value"]):
            return _issue(
                f"{at}.part", "size", "没有设备会测得这样大的数值。", "No scanner measures a number of this size."
            )
    return None


def _quantities(told: Mapping[str, Any], absent: bool) -> Iterator[Mapping[str, Any]]:
    named: Iterable[str] = ("nominal",) if absent else ("quantity", "nominal")
    yield from (told[name] or {} for name in named if name in told)


def _issue(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("value", zh=zh, en=en, at=at, detail=f"order.qc-value-{detail}")
