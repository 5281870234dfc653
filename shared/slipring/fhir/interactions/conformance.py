"""What the service says about itself, read and searched like any resource, and asked by terminology operations.

StructureDefinition, ValueSet, CodeSystem, SearchParameter, OperationDefinition and CompartmentDefinition are made from the
service's declarations (`definitions`); no row is stored, nothing can be written, and no patient's data is in them.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.interactions.respond import answer, answer_tree, bundle, entry
from slipring.fhir.interactions.shown import shown
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, invalid, not_found, refusal
from slipring.fhir.search.criteria import Criteria, Sort, parse
from slipring.fhir.search.match import matches
from slipring.fhir.search.parameter import parameters_for
from slipring.fhir.service import Resource
from slipring.fhir.text import encode

_CURSOR = "_cursor"
_DEFAULT_COUNT = 20
_MOST = 1000
_SORTABLE = ("_id", "url", "name", "title", "version", "status", "date")  # members of every definition
Pairs = list[tuple[str, str]]

OPERATIONS = {
    "CodeSystem": ("lookup", "validate-code"),
    "ValueSet": ("expand", "validate-code"),
}


def declared_here(kernel: Kernel, resource_type: str) -> bool:
    """Whether a type is answered from declarations instead of from storage."""
    return resource_type in TYPES and kernel.service.keeper_of(resource_type) is None


def read(kernel: Kernel, context: Context, resource_type: str, resource_id: str) -> Response:
    """One definition by its id."""
    context.demand(resource_type, "r")
    found = kernel.catalogue.read(resource_type, resource_id)
    if found is None:
        raise not_found(f"{resource_type}/{resource_id}")
    return answer_tree(found)


def search(kernel: Kernel, context: Context, resource_type: str, pairs: Pairs) -> Response:
    """One page of the definitions that meet strict criteria; they do not change while the service runs."""
    context.demand(resource_type, "s")
    after = 0
    cursor = next((value for name, value in pairs if name == _CURSOR), None)
    if cursor is not None:
        if len(pairs) > 1:
            raise invalid("A page link stands alone.", "翻页链接不能与其他参数同用。", at=_CURSOR)
        pairs, after = _opened(kernel, cursor, resource_type)
    criteria = parse(resource_type, pairs, lenient=context.lenient, zone=kernel.zone)
    if criteria.includes:
        raise invalid("Definitions include nothing.", "定义类资源不支持包含查询。", at="_include")
    found = _found(kernel, criteria)
    size = _DEFAULT_COUNT if criteria.count is None else min(criteria.count, _MOST)
    size = 0 if criteria.summary == "count" else size
    page = found[after : after + size]
    asked = urlencode(criteria.pairs if cursor is None else [(_CURSOR, cursor)])
    links = {"self": f"{kernel.base}/{resource_type}" + (f"?{asked}" if asked else "")}
    if size and len(found) > after + size:
        links["next"] = f"{kernel.base}/{resource_type}?{_CURSOR}={_sealed(kernel, resource_type, pairs, after + size)}"
    entries = [
        entry(
            f"{kernel.base}/{resource_type}/{one['id']}",
            shown(encode(one), summary=criteria.summary, elements=criteria.elements),
            search={"mode": "match"},
        )
        for one in page
    ]
    return answer(bundle("searchset", entries, total=len(found), links=links))


def _found(kernel: Kernel, criteria: Criteria) -> list[Resource]:
    found = [one for one, held in kernel.catalogue.indexed[criteria.type] if matches(criteria, held, one)]
    for rule in reversed(criteria.sort):
        member = _member(rule)
        found.sort(key=lambda one: str(one.get(member, "")), reverse=rule.descending)
    return found


def _member(rule: Sort) -> str:
    if rule.parameter.code not in _SORTABLE:
        listed = ", ".join(_SORTABLE)
        raise invalid(f"Definitions are sorted by {listed} only.", f"定义类资源只能按 {listed} 排序。", at="_sort")
    return rule.parameter.code.removeprefix("_")


def _sealed(kernel: Kernel, resource_type: str, pairs: Pairs, after: int) -> str:
    return kernel.cursors.encrypt(json.dumps([resource_type, pairs, after]).encode()).decode()


def _opened(kernel: Kernel, cursor: str, resource_type: str) -> tuple[Pairs, int]:
    try:
        kept, pairs, after = json.loads(kernel.cursors.decrypt(cursor.encode()))
        if kept == resource_type and isinstance(after, int):
            return [(name, value) for name, value in pairs], after
    except (InvalidToken, ValueError, TypeError) as error:
        raise invalid("The page link is not one of ours.", "翻页链接无效。", at=_CURSOR) from error
    raise invalid("The page link belongs to another type.", "翻页链接属于另一资源类型。", at=_CURSOR)


def not_written(resource_type: str) -> FhirError:
    """405: definitions follow from the service's declarations, nobody writes them."""
    return refusal(
        405,
        "not-supported",
        f"{resource_type} is made from the service's declarations and cannot be written.",
        f"{resource_type} 由服务声明生成，不可写入。",
        headers={"Allow": "GET, HEAD"},
    )


def capabilities() -> list[dict[str, Any]]:
    """The entries of these types in the CapabilityStatement."""
    return [
        {
            "type": resource_type,
            "documentation": "Made from the service's declarations; not stored.",
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "versioning": "no-version",
            "searchParam": [
                {"name": parameter.code, "definition": parameter.url, "type": parameter.type}
                for parameter in parameters_for(resource_type).values()
            ],
            **(
                {
                    "operation": [
                        {"name": name, "definition": f"http://hl7.org/fhir/OperationDefinition/{resource_type}-{name}"}
                        for name in OPERATIONS[resource_type]
                    ]
                }
                if resource_type in OPERATIONS
                else {}
            ),
        }
        for resource_type in TYPES
    ]
