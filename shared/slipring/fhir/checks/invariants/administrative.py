"""Invariants of the administrative and defining resources, and of what a resource contains."""

from __future__ import annotations

import re
from typing import Any

from slipring.fhir.checks.invariants.invariant import Node, given, invariant

_TAG = re.compile(r"<[^>]*>")
_NAME = re.compile(r"[A-Z]([A-Za-z0-9_]){0,254}")


@invariant("pat-1", "PatientContact")
def contact_can_be_reached(contact: Node) -> bool:
    """Details or an organization."""
    return any(name in contact for name in ("name", "telecom", "address", "organization"))


@invariant("org-1", "Organization")
def organization_has_a_name_or_an_identifier(organization: Node) -> bool:
    """At least one."""
    return "identifier" in organization or given(organization, "name")


@invariant("org-2", "Organization.address")
@invariant("org-3", "Organization.telecom")
def organization_is_nobodys_home(found: Node) -> bool:
    """Neither its address nor its telephone."""
    return found.get("use") != "home"


@invariant("app-1", "AppointmentParticipant")
def participant_is_named(participant: Node) -> bool:
    """By type or by actor."""
    return "type" in participant or "actor" in participant


@invariant("app-2", "Appointment")
def appointment_starts_and_ends(appointment: Node) -> bool:
    """Both or neither."""
    return given(appointment, "start") == given(appointment, "end")


@invariant("app-3", "Appointment")
def settled_appointment_has_its_time(appointment: Node) -> bool:
    """Only a proposed, cancelled or waiting one has none."""
    timed = given(appointment, "start") and given(appointment, "end")
    return timed or appointment.get("status") in ("proposed", "cancelled", "waitlist")


@invariant("app-4", "Appointment")
def only_what_did_not_happen_says_why(appointment: Node) -> bool:
    """Cancelled or not shown up."""
    return "cancelationReason" not in appointment or appointment.get("status") in ("noshow", "cancelled")


@invariant("sev-1", "AuditEventEntity")
def entity_has_a_name_or_a_query(entity: Node) -> bool:
    """Not both."""
    return not (given(entity, "name") and given(entity, "query"))


@invariant("mea-1", "Measure")
def stratifier_is_one_criterion_or_several(measure: Node) -> bool | str:
    """Code, description or criteria; or components."""
    for position, group in enumerate(measure.get("group", ())):
        for number, stratifier in enumerate(group.get("stratifier", ())):
            single = "code" in stratifier or given(stratifier, "description") or "criteria" in stratifier
            if single == ("component" in stratifier):
                return f".group[{position}].stratifier[{number}]"
    return True


@invariant("mrp-1", "MeasureReport")
def collected_data_has_no_scores(report: Node) -> bool:
    """A report of data collection holds no groups."""
    return report.get("type") != "data-collection" or "group" not in report


@invariant("mrp-2", "MeasureReport")
def stratum_is_one_value_or_several(report: Node) -> bool | str:
    """A value or components."""
    for position, group in enumerate(report.get("group", ())):
        for number, stratifier in enumerate(group.get("stratifier", ())):
            for index, stratum in enumerate(stratifier.get("stratum", ())):
                if ("value" in stratum) == ("component" in stratum):
                    return f".group[{position}].stratifier[{number}].stratum[{index}]"
    return True


@invariant("cmd-1", "ConceptMapGroupElementTarget")
def loose_mapping_is_explained(target: Node) -> bool:
    """Narrower and inexact ones have a comment."""
    return given(target, "comment") or target.get("equivalence") not in ("narrower", "inexact")


@invariant("cmd-2", "ConceptMapGroupUnmapped")
def fixed_fallback_names_its_code(unmapped: Node) -> bool:
    """mode = fixed."""
    return unmapped.get("mode") != "fixed" or given(unmapped, "code")


@invariant("cmd-3", "ConceptMapGroupUnmapped")
def other_map_is_named(unmapped: Node) -> bool:
    """mode = other-map."""
    return unmapped.get("mode") != "other-map" or given(unmapped, "url")


@invariant("adf-0", "ActivityDefinition")
@invariant("cmd-0", "ConceptMap")
@invariant("mea-0", "Measure")
@invariant("pdf-0", "PlanDefinition")
@invariant("que-0", "Questionnaire")
def name_is_an_identifier(definition: Node) -> bool:
    """Usable in programs: an upper-case letter, then letters, digits and underscores."""
    return "name" not in definition or _NAME.fullmatch(definition["name"]) is not None


# --- what a resource contains -------------------------------------------------------------------------------


@invariant("dom-3", "DomainResource")
def contained_resources_are_referred_to(resource: Node) -> bool | str:
    """From somewhere in the resource, or they refer to it themselves."""
    contained = resource.get("contained")
    if not contained:
        return True
    named: set[str] = set()
    _collect(resource, named)
    for position, one in enumerate(contained):
        if f"#{one.get('id')}" not in named and not _refers_up(one):
            return f".contained[{position}]"
    return True


def _collect(node: Any, named: set[str]) -> None:
    for value in node.values() if node.__class__ is dict else node:
        kind = value.__class__
        if kind is str:
            if value[:1] == "#":
                named.add(value)
        elif kind is dict or kind is list:
            _collect(value, named)


def _refers_up(node: Any) -> bool:
    named: set[str] = set()
    _collect(node, named)
    return "#" in named


@invariant("dom-4", "DomainResource")
def contained_resources_have_no_version(resource: Node) -> bool | str:
    """Neither version nor time of their own."""
    version = _without_meta(resource, "versionId")
    return version if version is not True else _without_meta(resource, "lastUpdated")


@invariant("dom-5", "DomainResource")
def contained_resources_have_no_label(resource: Node) -> bool | str:
    """The containing resource's security labels hold for them."""
    return _without_meta(resource, "security")


def _without_meta(resource: Node, member: str) -> bool | str:
    for position, one in enumerate(resource.get("contained", ())):
        meta = one.get("meta")
        if isinstance(meta, dict) and member in meta:  # a contained resource has its own check of shape
            return f".contained[{position}].meta.{member}"
    return True


@invariant("dom-6", "DomainResource")
def resource_can_be_read_by_people(resource: Node) -> bool:
    """It has a narrative."""
    return "div" in resource.get("text", ())


@invariant("txt-2", "Narrative")
def narrative_says_something(narrative: Node) -> bool:
    """Words or an image."""
    div = narrative.get("div", "")
    return "<img" in div or not div or bool(_TAG.sub("", div).strip())
