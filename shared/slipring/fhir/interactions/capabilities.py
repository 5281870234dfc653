"""CapabilityStatement and OperationDefinitions, from the same declaration that routes and parses."""

from __future__ import annotations

from slipring.fhir.kernel import Kernel
from slipring.fhir.search.parameter import parameters_for
from slipring.fhir.service import CANONICAL, Keeps, Resource

_INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type")


def capability_statement(kernel: Kernel) -> Resource:
    """What this service can do; nothing more, nothing less."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "name": f"slipring_{kernel.service.name}",
        "title": kernel.service.title + (" (DEMO)" if kernel.demo else ""),
        "software": {"name": "slipring"},
        "implementation": {"description": kernel.service.title, "url": kernel.base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
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
                "resource": [_resource(kernel, keeps) for keeps in kernel.service.keeps],
                "interaction": [{"code": "transaction"}, {"code": "batch"}, {"code": "history-system"}],
            }
        ],
    }


def _resource(kernel: Kernel, keeps: Keeps) -> Resource:
    written: Resource = {
        "type": keeps.type,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [
            {"name": parameter.code, "type": parameter.type} for parameter in parameters_for(keeps.type).values()
        ],
    }
    operations = [
        {"name": o.name, "definition": f"{CANONICAL}/OperationDefinition/{o.type}-{o.name}"}
        for o in kernel.service.operations
        if o.type == keeps.type
    ]
    if operations:
        written["operation"] = operations
    return written
