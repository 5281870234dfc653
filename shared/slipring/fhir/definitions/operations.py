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


def operation_definitions(operations: Iterable[Operation]) -> list[Resource]:
    """One OperationDefinition per name: an operation of a type that is an operation of its instances too is one."""
    found: dict[str, Resource] = {}
    for operation in operations:
        one = as_operation_definition(operation)
        before = found.get(one["id"])
        if before is None:
            found[one["id"]] = one
            continue
        listed = {(each["name"], each["use"]) for each in before["parameter"]}
        more = [each for each in one["parameter"] if (each["name"], each["use"]) not in listed]
        levels = {name: before[name] or one[name] for name in ("type", "instance", "affectsState")}
        found[one["id"]] = {**one, **before, **levels, "parameter": [*before["parameter"], *more]}
    return list(found.values())


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
