"""The operations of a service as OperationDefinitions."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.definitions.vocabulary import DATE
from slipring.fhir.service import CANONICAL, Operation, Parameter, Resource


def as_operation_definition(operation: Operation) -> Resource:
    """The OperationDefinition of a declared operation."""
    reads = {"comment": f"Asks for r on all of {', '.join(operation.tells)}."} if operation.tells else {}
    return {
        "resourceType": "OperationDefinition",
        "id": f"{operation.type}-{operation.name}",
        "url": f"{CANONICAL}/OperationDefinition/{operation.type}-{operation.name}",
        "name": operation.name.replace("-", "_"),
        "title": operation.title or operation.name,
        "status": "active",
        "date": DATE,
        "kind": "operation",
        "affectsState": operation.affects_state,
        "code": operation.name,
        **reads,
        "resource": [operation.type],
        "system": False,
        "type": operation.level == "type",
        "instance": operation.level == "instance",
        "parameter": parameters_of(operation.parameters),
    }


def parameters_of(parameters: Iterable[Parameter]) -> list[Resource]:
    """Parameters as an OperationDefinition lists them."""
    return [_parameter(parameter) for parameter in parameters]


def _parameter(parameter: Parameter) -> Resource:
    written: Resource = {
        "name": parameter.name,
        "use": parameter.use,
        "min": parameter.min,
        "max": parameter.max,
        "documentation": parameter.documentation or parameter.name,
    }
    if parameter.parts:
        written["part"] = [_parameter(part) for part in parameter.parts]
    else:
        written["type"] = parameter.type
    return written
