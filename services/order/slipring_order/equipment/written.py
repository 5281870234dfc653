"""A value of a scanner's test that is written as an Observation by itself: held to the rules of `$enter-qc`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Resource

from slipring_order.equipment.values import Places, problem_of
from slipring_order.rooms.measured import is_past, kind_of, measured_at, nominals_of, not_applicable, test_of
from slipring_order.rooms.scanner_standard import kinds

_EFFECTIVE = ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming")


def demand_judgeable(observation: Resource, zone: ZoneInfo, now: datetime) -> None:
    """422 with everything that keeps an Observation from being judged as a result of a scanner's test, each at its element."""
    nominals = nominals_of(observation)
    issues = list(_problems(observation, nominals))
    if len(nominals) > 1:
        issues.append(_issue("component", "twice", "标称值只能有一个。", "There is one nominal value."))
    if not kind_of(observation):
        known = ", ".join(kinds())
        issues.append(
            _issue("method", "kind", f"method 须为一种检测类别：{known}。", f"method names one kind of test: {known}.")
        )
    when = measured_at(observation, zone)
    if when is None or not is_past(when, now):
        member = next((name for name in _EFFECTIVE if name in observation), "effective")
        issues.append(
            _issue(
                member,
                "at",
                "须注明检测的日期或时刻，且不晚于现在。",
                "It says when it was measured: a moment, or a day, that is not in the future.",
            )
        )
    if issues:
        raise FhirError(422, issues)


def _problems(observation: Resource, nominals: Mapping[int, Resource]) -> Iterator[Issue]:
    place, nominal = next(iter(nominals.items()), (0, None))
    stated = None if nominal is None else nominal.get("valueQuantity", {})
    at = Places(
        "Observation.code", "Observation.valueQuantity", f"Observation.component[{place}].valueQuantity", ".value"
    )
    absent = not_applicable(observation)
    problem = problem_of(test_of(observation), observation.get("valueQuantity"), stated, absent=absent, at=at)
    yield from [problem] if problem else []


def _issue(member: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("value", zh=zh, en=en, at=f"Observation.{member}", detail=f"order.qc-value-{detail}")
