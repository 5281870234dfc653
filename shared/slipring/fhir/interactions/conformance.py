"""What the service says about itself, read and searched like any resource, and asked by terminology operations.

StructureDefinition, ValueSet, CodeSystem, SearchParameter, OperationDefinition, CompartmentDefinition and, as Basic, the
topics of subscriptions are made from the service's declarations (`definitions`); no row is stored, nothing can be written,
and no patient's data is in them.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir.checks.shape import check
from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.interactions import terminology
from slipring.fhir.interactions.asked import ID, Asked, known_id, parameters
from slipring.fhir.interactions.negotiation import FORM, demand_content_type
from slipring.fhir.interactions.operation import body_of, demand_parameters
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


def concerns(kernel: Kernel, asked: Asked) -> bool:
    """Whether a request is about a type that is answered from declarations, or a terminology operation."""
    steps = asked.steps
    if not steps:
        return False
    called = steps[-1][1:] if steps[-1][:1] == "$" else ""
    if called and terminology.offered(steps[0], called):
        return _declared_here(kernel, steps[0]) or kernel.service.keeper_of(steps[0]) is not None
    return _declared_here(kernel, steps[0])


async def answered(kernel: Kernel, context: Context, asked: Asked) -> Response:
    """Read, search or operation; these types have no history and are never written."""
    reads = asked.method == "GET"
    match asked.steps:
        case [kind, *within, called] if called[:1] == "$" and len(within) < 2:
            if asked.method not in ("GET", "POST") or not terminology.offered(kind, called[1:]):
                raise _not_offered(kind)
            given = terminology.from_query(asked.query) if reads else terminology.from_parameters(_body(kernel, asked))
            target = known_id(kind, within[0]) if within else None
            return await terminology.operate(kernel, context, kind, target, called[1:], given)
        case [kind] if reads:
            return search(kernel, context, kind, asked.query)
        case [kind, "_search"] if asked.method == "POST":
            demand_content_type(asked.headers.get("content-type", ""), (FORM,))
            return search(kernel, context, kind, asked.query + parameters(asked.body))
        case [kind, name] if reads and ID.fullmatch(name):
            asked.only()
            return read(kernel, context, kind, name)
    raise _not_offered(asked.steps[0])


def _body(kernel: Kernel, asked: Asked) -> Resource:
    asked.only()
    tree = demand_parameters(body_of(kernel, asked) or {"resourceType": "Parameters"})
    issues = check(tree)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)
    return tree


def _declared_here(kernel: Kernel, resource_type: str) -> bool:
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
            raise invalid(
                "A page link stands alone.",
                "翻页链接不能与其他参数同用。",
                at=_CURSOR,
                detail="kernel.page-link-stands-alone",
            )
        pairs, after = _opened(kernel, cursor, resource_type)
    criteria = parse(resource_type, pairs, lenient=context.lenient, zone=kernel.zone)
    if criteria.includes:
        raise invalid(
            "Definitions include nothing.",
            "定义类资源不支持包含查询。",
            at="_include",
            detail="kernel.definitions-include-nothing",
        )
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
        raise invalid(
            f"Definitions are sorted by {listed} only.",
            f"定义类资源只能按 {listed} 排序。",
            at="_sort",
            detail="kernel.definitions-sorted-only",
        )
    return rule.parameter.code.removeprefix("_")


def _sealed(kernel: Kernel, resource_type: str, pairs: Pairs, after: int) -> str:
    return kernel.cursors.encrypt(json.dumps([resource_type, pairs, after]).encode()).decode()


def _opened(kernel: Kernel, cursor: str, resource_type: str) -> tuple[Pairs, int]:
    try:
        kept, pairs, after = json.loads(kernel.cursors.decrypt(cursor.encode()))
        if kept == resource_type and isinstance(after, int):
            return [(name, value) for name, value in pairs], after
    except (InvalidToken, ValueError, TypeError) as error:
        raise invalid(
            "The page link is not one of ours.", "翻页链接无效。", at=_CURSOR, detail="kernel.page-link-not-ours"
        ) from error
    raise invalid(
        "The page link belongs to another type.",
        "翻页链接属于另一资源类型。",
        at=_CURSOR,
        detail="kernel.page-link-belongs-another-type",
    )


def _not_offered(resource_type: str) -> FhirError:
    """405: definitions follow from the service's declarations, nobody writes them."""
    return refusal(
        405,
        "not-supported",
        f"{resource_type} is made from the service's declarations: it is read and searched only.",
        f"{resource_type} 由服务声明生成，只能读取和检索。",
        headers={"Allow": "GET, HEAD"},
        detail="kernel.made-service-declarations",
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
            **({"operation": found} if (found := terminology.capabilities(resource_type)) else {}),
        }
        for resource_type in TYPES
    ]
