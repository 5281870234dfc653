"""CapabilityStatement and OperationDefinitions, from the same declaration that routes and parses."""

from __future__ import annotations

from importlib.metadata import version

from slipring.fhir.definitions.standard import stated
from slipring.fhir.interactions import conformance, terminology, trail
from slipring.fhir.interactions.negotiation import PATCH
from slipring.fhir.kernel import Kernel
from slipring.fhir.search.stated import includes, reverse_includes, search_parameters
from slipring.fhir.service import CANONICAL, Keeps, Resource

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport"
TOPIC_OFFERED = f"{_BACKPORT}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"
_INTERACTIONS = (
    *("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"),
)


def capability_statement(kernel: Kernel) -> Resource:
    """What this service can do; nothing more, nothing less."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "name": f"slipring_{kernel.service.name}",
        "title": kernel.service.title + (" (DEMO)" if kernel.demo else ""),
        "software": {"name": "slipring", "version": version("slipring")},
        "implementation": {"description": kernel.service.title, "url": kernel.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": [PATCH],
        "implementationGuide": [f"{_BACKPORT}/ImplementationGuide/hl7.fhir.uv.subscriptions-backport"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ]
                },
                "resource": [
                    *(_resource(kernel, keeps) for keeps in kernel.service.keeps),
                    trail.capabilities(),
                    *conformance.capabilities(),
                ],
                "interaction": [{"code": "transaction"}, {"code": "batch"}, {"code": "history-system"}],
            }
        ],
    }


def _resource(kernel: Kernel, keeps: Keeps) -> Resource:
    kept = [one.type for one in kernel.service.keeps]
    written: Resource = {
        "type": keeps.type,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": includes(keeps.type, kept),
        "searchRevInclude": reverse_includes(keeps.type, kept),
        "searchParam": search_parameters(keeps.type, kernel.held),
    }
    operations = (
        [
            {"name": name, "definition": f"{CANONICAL}/OperationDefinition/{keeps.type}-{name}"}
            for name in dict.fromkeys(o.name for o in kernel.service.operations if o.type == keeps.type)
        ]
        + terminology.capabilities(keeps.type)
        + stated(keeps.type)
    )
    if keeps.type == "Subscription":
        written |= _topics(kernel)
    elif profiles := [one.url for one in kernel.service.profiles if one.type == keeps.type]:
        written["supportedProfile"] = profiles
    if operations:
        written["operation"] = operations
    return {name: value for name, value in written.items() if value != []}


def _topics(kernel: Kernel) -> Resource:
    """How a client finds the topics that are offered (Subscriptions R5 Backport 1.1.0, CapabilityStatement)."""
    stated = [{"url": TOPIC_OFFERED, "valueCanonical": topic.url} for topic in kernel.service.topics]
    return {"extension": stated, "supportedProfile": [f"{_BACKPORT}/StructureDefinition/backport-subscription"]}
