"""The operations of R4 itself and of the Backport of subscriptions that every service offers, as OperationDefinitions."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.definitions.operations import parameters_of
from slipring.fhir.definitions.vocabulary import DATE
from slipring.fhir.service import CANONICAL, Parameter, Resource

_BASE = "http://hl7.org/fhir/OperationDefinition"


@dataclass(frozen=True, slots=True)
class StandardOperation:
    """One operation that a specification defines, as far as it is offered here."""

    id: str  # the end of its canonical address
    code: str
    title: str
    resource: str  # "Resource" = of every kept type
    on_type: bool
    on_instance: bool
    parameters: tuple[Parameter, ...]
    affects_state: bool = False
    base: str = _BASE
    version: str = "4.0.1"

    @property
    def url(self) -> str:
        """Its canonical address."""
        return f"{self.base}/{self.id}"

    def definition(self) -> Resource:
        """The OperationDefinition, with the parameters that are taken here."""
        return {
            "resourceType": "OperationDefinition",
            "id": self.id,
            "url": self.url,
            "version": self.version,
            "name": self.title.title().replace(" ", ""),
            "title": self.title,
            "status": "active",
            "date": DATE,
            "kind": "operation",
            "affectsState": self.affects_state,
            "code": self.code,
            "resource": [self.resource],
            "system": False,
            "type": self.on_type,
            "instance": self.on_instance,
            "parameter": parameters_of(self.parameters),
        }


_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition"
_OWN = f"{CANONICAL}/OperationDefinition"
_LABELS = Parameter(
    "meta", "Meta", min=1, documentation="profile, security and tag; codings are equal by system and code"
)
_META = Parameter("return", "Meta", "out", min=1, documentation="The labels as they stand")
_ACCESS_PARTS = (
    Parameter("when", "instant", "out", 1, documentation="When"),
    Parameter("service", "string", "out", 1, documentation="Where"),
    Parameter("client", "string", "out", 1, documentation="Who: the program"),
    Parameter("practitioner", "Reference", "out", documentation="Who: the person"),
    Parameter("how", "code", "out", 1, documentation="read, search, create, ..."),
    Parameter("what", "Reference", "out", max="*", documentation="What was touched or given out about this patient"),
    Parameter("why", "code", "out", documentation="v3-ActReason; left out in ordinary care"),
    Parameter("outcome", "code", "out", 1, documentation="0, 4 or 8, as AuditEvent.outcome"),
    Parameter("request", "string", "out", documentation="X-Request-Id"),
    Parameter("event", "Reference", "out", 1, documentation="The AuditEvent"),
)
STANDARD = (
    StandardOperation(
        "Patient-access-report", "access-report", "Who saw or changed what about one patient", "Patient", False, True,
        (
            Parameter("start", "dateTime", documentation="From this time on"),
            Parameter("end", "dateTime", documentation="Up to this time"),
            Parameter("patient", "Reference", "out", 1, documentation="Whom it is about"),
            Parameter("made", "instant", "out", 1, documentation="When it was made"),
            Parameter("viewer", "string", "out", 1, documentation="For whom it was made"),
            Parameter("access", "", "out", 0, "*", documentation="In order of time", parts=_ACCESS_PARTS),
        ),
        base=_OWN, version="1",
    ),
    StandardOperation(
        "Resource-validate", "validate", "Validate a resource", "Resource", True, True,
        (
            Parameter("resource", "Resource", documentation="The resource; without it the one at the address"),
            Parameter("mode", "code", documentation="create, update, delete or profile"),
            Parameter("profile", "uri", max="*", documentation="Hold it against these profiles too"),
            Parameter("return", "OperationOutcome", "out", min=1, documentation="What was found"),
        ),
    ),
    StandardOperation("Resource-meta", "meta", "Labels of a resource", "Resource", False, True, (_META,)),
    StandardOperation("Resource-meta-add", "meta-add", "Add labels", "Resource", False, True, (_LABELS, _META), True),
    StandardOperation(
        "Resource-meta-delete", "meta-delete", "Take labels away", "Resource", False, True, (_LABELS, _META), True
    ),
    StandardOperation(
        "Patient-everything", "everything", "All about one patient", "Patient", False, True,
        (
            Parameter("start", "date", documentation="Care from this date on"),
            Parameter("end", "date", documentation="Care up to this date"),
            Parameter("_since", "instant", documentation="Changed since"),
            Parameter("_type", "code", max="*", documentation="Only these types"),
            Parameter("_count", "integer", documentation="Resources on one page, without those referred to"),
            Parameter("return", "Bundle", "out", min=1, documentation="A page"),
        ),
    ),
    StandardOperation(
        "backport-subscription-status", "status", "Status of subscriptions", "Subscription", True, True,
        (
            Parameter("id", "id", max="*", documentation="At the type: only these Subscriptions"),
            Parameter("status", "code", max="*", documentation="At the type: only those with one of these statuses"),
            Parameter("return", "Bundle", "out", min=1, documentation="A searchset of status Parameters"),
        ),
        base=_BACKPORT, version="1.1.0",
    ),
    StandardOperation(
        "backport-subscription-events", "events", "Events of a subscription", "Subscription", False, True,
        (
            Parameter("eventsSinceNumber", "string", documentation="The first number, inclusive"),
            Parameter("eventsUntilNumber", "string", documentation="The last number, inclusive"),
            Parameter("content", "code", documentation="empty, id-only or full-resource; else as it was told"),
            Parameter("return", "Bundle", "out", min=1, documentation="A notification Bundle of at most 1000 events"),
        ),
        base=_BACKPORT, version="1.1.0",
    ),
    StandardOperation(
        "Subscription-deliveries", "deliveries", "Deliveries of a subscription", "Subscription", True, True,
        (
            Parameter("state", "code", documentation="At the instance: waiting or parked; else both"),
            Parameter("after", "string", documentation="At the instance: only numbers above this one"),
            Parameter("_count", "integer", documentation="At the instance: at most so many of each state, 200 at most"),
            Parameter("subscription", "string", "out", max="*", documentation="How it stands", parts=(
                Parameter("reference", "Reference", "out", min=1, documentation="The Subscription"),
                Parameter("status", "code", "out", min=1, documentation="As $status says it"),
                Parameter("reason", "string", "out", documentation="Its reason"),
                Parameter("client", "string", "out", documentation="Whose it is"),
                Parameter("endpoint", "string", "out", documentation="Scheme, host and port"),
                Parameter("waiting", "integer", "out", min=1, documentation="How many wait"),
                Parameter("parked", "integer", "out", min=1, documentation="How many were refused for their content"),
                Parameter("failures", "integer", "out", min=1, documentation="In a row"),
                Parameter("lastNumber", "string", "out", min=1, documentation="The newest event's number"),
                Parameter("lastError", "string", "out", documentation="The last failure, without content"),
                Parameter("oldestWaiting", "instant", "out", documentation="When the oldest that waits happened"),
                Parameter("nextAttempt", "instant", "out", documentation="When an endpoint in error is tried again"),
            )),
            Parameter("delivery", "string", "out", max="*", documentation="At the instance", parts=(
                Parameter("number", "string", "out", min=1, documentation="Its number in the subscription"),
                Parameter("reference", "Reference", "out", min=1, documentation="The version it tells of"),
                Parameter("state", "code", "out", min=1, documentation="waiting or parked"),
                Parameter("attempts", "integer", "out", min=1, documentation="How often it was tried"),
                Parameter("since", "instant", "out", min=1, documentation="When it happened"),
                Parameter("lastError", "string", "out", documentation="The last failure, without content"),
            )),
        ),
        base=_OWN, version="1",
    ),
    StandardOperation(
        "Subscription-resume", "resume", "Send parked deliveries again", "Subscription", False, True,
        (
            Parameter("number", "string", max="*", documentation="Which; none: all that are parked"),
            Parameter("number", "string", "out", max="*", documentation="What was resumed"),
        ),
        affects_state=True, base=_OWN, version="1",
    ),
    StandardOperation(
        "Subscription-skip", "skip", "Give deliveries up", "Subscription", False, True,
        (
            Parameter("number", "string", min=1, max="*", documentation="Which; they keep their numbers"),
            Parameter("reason", "string", min=1, documentation="Why, in at most 500 characters"),
            Parameter("number", "string", "out", max="*", documentation="What was skipped"),
        ),
        affects_state=True, base=_OWN, version="1",
    ),
    StandardOperation(
        "Subscription-rotate-secret", "rotate-secret", "Make a secret for signatures", "Subscription", False, True,
        (
            Parameter("overlapHours", "integer", documentation="How long the one before still signs, 24 unless said"),
            Parameter("secret", "string", "out", min=1, documentation="Told once"),
            Parameter("previousUntil", "instant", "out", documentation="Until when the one before signs as well"),
        ),
        affects_state=True, base=_OWN, version="1",
    ),
)  # fmt: skip


def stated(resource_type: str) -> list[Resource]:
    """How a CapabilityStatement lists them for one kept type."""
    return [{"name": o.code, "definition": o.url} for o in STANDARD if o.resource in ("Resource", resource_type)]
