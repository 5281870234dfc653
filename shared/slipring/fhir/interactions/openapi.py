"""The OpenAPI 3.1 document of a FHIR base, written from its CapabilityStatement and so from the declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipring.fhir.interactions.openapi_parts import Tree, common_parameters, ref, schemas, searched, shown, told
from slipring.fhir.service import Operation

_FHIR = "application/fhir+json"
_PATCH = "application/json-patch+json"
_FORM = "application/x-www-form-urlencoded"
_SHOWING = ("200", "201")


def openapi(statement: Tree, called: Mapping[str, list[Tree] | None]) -> Tree:
    """The document of the base that makes this statement.

    `called`: the paths of its operations, each with the parameters that GET takes there; None where POST alone calls it.
    """
    rest = statement["rest"][0]
    paths: Tree = _whole_base(rest)
    components: Tree = {}
    for resource in rest["resource"]:
        components |= searched(resource)
        paths |= _of_type(resource, called)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": statement.get("title", "slipring"),
            "version": statement["software"].get("version", "0"),
            "description": "FHIR R4 (4.0.1) as JSON. What the CapabilityStatement at `/metadata` says, in OpenAPI.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": statement["implementation"]["url"]}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token by SMART Backend Services; `/.well-known/smart-configuration` says from where.",
                }
            },
            "parameters": common_parameters() | components,
            "responses": {"Refused": _refusal(range(400, 500)), "Busy": _refusal(range(503, 504))},
            "schemas": schemas(rest),
        },
    }


# --- paths --------------------------------------------------------------------------------------------------


def _whole_base(rest: Tree) -> Tree:
    codes = {interaction["code"] for interaction in rest.get("interaction", ())}
    metadata = _operation("metadata", "metadata", "What this base can do.", shows="CapabilityStatement")
    paths: Tree = {"/metadata": {"get": {**metadata, "security": []}}}
    if codes & {"transaction", "batch"}:
        says = "Many interactions at once: all or none (transaction), or each by itself (batch)."
        paths["/"] = {"post": _operation("transaction", "transaction", says, takes="Bundle", shows="Bundle")}
    if "history-system" in codes:
        says = "Every version of everything, newest first."
        paths["/_history"] = {"get": _operation("history-system", "history", says, shows="Bundle")}
    return paths


def _of_type(resource: Tree, called: Mapping[str, list[Tree] | None]) -> Tree:
    name: str = resource["type"]
    can = {interaction["code"] for interaction in resource["interaction"]}
    asked = [ref("parameters", f"{name}.{p['name']}") for p in resource.get("searchParam", ())]
    address = {"name": "id", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/id"}}
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"},
    }
    every, one, past = _type_level(name, resource, can, asked), _instance_level(name, can), {}
    if "vread" in can:
        past["get"] = _operation("vread", f"vread{name}", f"One version of a {name}.", shows=name)
    history = {}
    if "history-instance" in can:
        says = f"The versions of one {name}, newest first."
        history["get"] = _operation("history-instance", f"history{name}", says, shows="Bundle")
    paths: Tree = {
        f"/{name}": every,
        f"/{name}/{{id}}": one and {"parameters": [address], **one},
        f"/{name}/{{id}}/_history": history and {"parameters": [address], **history},
        f"/{name}/{{id}}/_history/{{version}}": past and {"parameters": [address, version], **past},
    }
    if "search-type" in can:
        paths[f"/{name}/_search"] = {"post": _search_by_form(name, resource)}
    if "history-type" in can:
        says = f"The versions of every {name}, newest first."
        paths[f"/{name}/_history"] = {"get": _operation("history-type", f"historyOf{name}", says, shows="Bundle")}
    paths |= _operations(name, resource, called, address)
    return {path: item for path, item in paths.items() if item}


def _type_level(name: str, resource: Tree, can: set[str], asked: list[Tree]) -> Tree:
    found: Tree = {}
    if "search-type" in can:
        found["get"] = _operation("search-type", f"search{name}", f"Search {name}.", shows="Bundle", more=asked)
    if "create" in can:
        found["post"] = _operation("create", f"create{name}", f"Create a {name}.", takes=name, shows=name)
    if resource.get("conditionalUpdate"):
        says = f"Update the one {name} that the parameters find, or create it."
        found["put"] = _operation("update", f"updateOne{name}", says, takes=name, shows=name, more=asked)
        says = f"Patch the one {name} that the parameters find."
        found["patch"] = _operation("patch", f"patchOne{name}", says, takes=_PATCH, shows=name, more=asked)
    if resource.get("conditionalDelete", "not-supported") != "not-supported":
        says = f"Hide the one {name} that the parameters find."
        found["delete"] = _operation("delete", f"deleteOne{name}", says, more=asked)
    return found


def _instance_level(name: str, can: set[str]) -> Tree:
    found: Tree = {}
    if "read" in can:
        found["get"] = _operation("read", f"read{name}", f"The current version of a {name}.", shows=name)
    if "update" in can:
        found["put"] = _operation("update", f"update{name}", f"Replace a {name}.", takes=name, shows=name)
    if "patch" in can:
        found["patch"] = _operation("patch", f"patch{name}", f"Change parts of a {name}.", takes=_PATCH, shows=name)
    if "delete" in can:
        found["delete"] = _operation("delete", f"delete{name}", f"Hide a {name}; its versions stay.")
    return found


def _operations(name: str, resource: Tree, called: Mapping[str, list[Tree] | None], address: Tree) -> Tree:
    paths: Tree = {}
    for stated in resource.get("operation", ()):
        operation = stated["name"].lstrip("$")
        says = f"The operation {operation} as {stated['definition']} defines it."
        for path, around in (
            (f"/{name}/${operation}", {}),
            (f"/{name}/{{id}}/${operation}", {"parameters": [address]}),
        ):
            if path in called:
                level = "instance" if around else "type"
                post = _operation(
                    "operation", f"{operation}-{name}-{level}", says, takes="Parameters", shows="Resource"
                )
                paths[path] = {**around, "post": post}
                if (asked := called[path]) is not None:
                    by_address = f"ask-{operation}-{name}-{level}"
                    paths[path]["get"] = _operation("operation", by_address, says, shows="Resource", more=asked)
    return paths


# --- one interaction ----------------------------------------------------------------------------------------


def _operation(
    interaction: str, operation_id: str, says: str, *, takes: str = "", shows: str = "", more: Sequence[Tree] = ()
) -> Tree:
    says_of = told()["interaction"][interaction]
    parameters = [ref("parameters", name) for name in (*says_of.get("headers", ()), *says_of["query"])]
    statuses = sorted({*says_of["statuses"], *told()["everywhere"]["statuses"]})
    found: Tree = {"operationId": operation_id, "summary": says, "parameters": [*parameters, *more]}
    if takes:
        kind, shape = (_PATCH, "JsonPatch") if takes == _PATCH else (_FHIR, takes)
        found["requestBody"] = {
            "required": takes != "Parameters",
            "content": {kind: {"schema": ref("schemas", shape)}},
        }
    found["responses"] = {str(status): _response(str(status), shows) for status in statuses if status < 400}
    found["responses"] |= {"4XX": ref("responses", "Refused"), "503": ref("responses", "Busy")}
    found["x-refusals"] = [status for status in statuses if status >= 400]
    return found


def _response(status: str, shows: str) -> Tree:
    answer: Tree = {"description": told()["statuses"][status]}
    if status in _SHOWING:
        names = dict.fromkeys((shows or "OperationOutcome", "OperationOutcome"))
        answer["content"] = shown({"anyOf": [ref("schemas", name) for name in names]})
    return answer


def _search_by_form(name: str, resource: Tree) -> Tree:
    found = _operation(
        "search-type", f"searchByForm{name}", f"Search {name} by a form, out of addresses.", shows="Bundle"
    )
    names = [*(p["name"] for p in resource.get("searchParam", ())), *told()["interaction"]["search-type"]["query"]]
    fields = {field: {"type": "string"} for field in names}
    found["parameters"] = [ref("parameters", "Prefer")]
    found["requestBody"] = {"content": {_FORM: {"schema": {"type": "object", "properties": fields}}}}
    return found


def _refusal(statuses: range) -> Tree:
    """The OperationOutcome of every refusal; which statuses an interaction may have stands in its `x-refusals`."""
    said = [f"{status}: {says}" for status, says in told()["statuses"].items() if int(status) in statuses]
    headers = {"Retry-After": {"schema": {"type": "string"}}} if 503 in statuses else {}
    refused: Tree = {"description": " ".join(said), "content": shown(ref("schemas", "OperationOutcome"))}
    return refused | ({"headers": headers} if headers else {})


def operation_paths(statement: Tree, declared: Sequence[Operation]) -> dict[str, list[Tree] | None]:
    """Where the operations of a service are called: its own as declared, those of R4 as `openapi.toml` says.

    Each with the parameters of its GET, None where POST alone calls it.
    """
    plain = {(one.type, one.name): _in_address(one) for one in declared if one.plain}
    levels = {(one.type, one.name): (one.level,) for one in declared} | {
        (resource["type"], stated["name"]): tuple(told()["levels"][stated["name"]])
        for resource in statement["rest"][0]["resource"]
        for stated in resource.get("operation", ())
        if stated["name"] in told()["levels"]
    }
    ways = {"type": "/{}/${}", "instance": "/{}/{{id}}/${}"}
    return {ways[level].format(*names): plain.get(names) for names, offered in levels.items() for level in offered}


def _in_address(operation: Operation) -> list[Tree]:
    asked = [one for one in operation.parameters if one.use == "in"]
    return [
        {
            "name": one.name,
            "in": "query",
            "required": one.min > 0,
            "description": one.documentation or one.type,
            "schema": {"type": "string"} if one.max == "1" else {"type": "array", "items": {"type": "string"}},
        }
        for one in asked
    ]
