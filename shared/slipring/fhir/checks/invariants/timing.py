"""Invariants of Timing and of what is triggered by it."""

from __future__ import annotations

from slipring.fhir.checks.invariants.invariant import Node, chosen, given, invariant

_MEALS = {"C", "CM", "CD", "CV"}


@invariant("tim-1", "TimingRepeat")
def duration_has_a_unit(repeat: Node) -> bool:
    """A duration of 3 is none."""
    return not given(repeat, "duration") or given(repeat, "durationUnit")


@invariant("tim-2", "TimingRepeat")
def period_has_a_unit(repeat: Node) -> bool:
    """A period of 3 is none."""
    return not given(repeat, "period") or given(repeat, "periodUnit")


@invariant("tim-4", "TimingRepeat")
def duration_is_not_negative(repeat: Node) -> bool:
    """Nothing lasts less than no time."""
    return bool(repeat.get("duration", 0) >= 0)


@invariant("tim-5", "TimingRepeat")
def period_is_not_negative(repeat: Node) -> bool:
    """Nothing recurs into the past."""
    return bool(repeat.get("period", 0) >= 0)


@invariant("tim-6", "TimingRepeat")
def longest_period_has_a_period(repeat: Node) -> bool:
    """A maximum alone is none."""
    return not given(repeat, "periodMax") or given(repeat, "period")


@invariant("tim-7", "TimingRepeat")
def longest_duration_has_a_duration(repeat: Node) -> bool:
    """A maximum alone is none."""
    return not given(repeat, "durationMax") or given(repeat, "duration")


@invariant("tim-8", "TimingRepeat")
def highest_count_has_a_count(repeat: Node) -> bool:
    """A maximum alone is none."""
    return not given(repeat, "countMax") or given(repeat, "count")


@invariant("tim-9", "TimingRepeat")
def offset_is_from_an_event(repeat: Node) -> bool:
    """Minutes from when, but not from a meal itself."""
    if not given(repeat, "offset"):
        return True
    return given(repeat, "when") and not _MEALS.intersection(repeat.get("when", ()))


@invariant("tim-10", "TimingRepeat")
def clock_time_or_event(repeat: Node) -> bool:
    """Not both."""
    return not (given(repeat, "timeOfDay") and given(repeat, "when"))


@invariant("trd-1", "TriggerDefinition")
def triggered_by_time_or_by_data(trigger: Node) -> bool:
    """Not both."""
    return "data" not in trigger or not chosen(trigger, "timing")


@invariant("trd-2", "TriggerDefinition")
def condition_is_on_data(trigger: Node) -> bool:
    """A condition needs something to judge."""
    return "condition" not in trigger or "data" in trigger


@invariant("trd-3", "TriggerDefinition")
def trigger_says_what_its_type_needs(trigger: Node) -> bool:
    """A name, a timing or data, by the type."""
    kind = trigger.get("type", "")
    if kind == "named-event":
        return given(trigger, "name")
    if kind == "periodic":
        return chosen(trigger, "timing")
    return not kind.startswith("data-") or "data" in trigger
