"""The OpenAPI documents: well-formed, in agreement with the statements, and kept by the running services."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from slipring.process import installed_services

from tests.support.server import Server

BASES = [*installed_services(), "front"]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SEED = 20261125
AT_LEAST = 6  # interactions of each base, however slow the machine is
EXAMPLES = 4  # of each interaction that is looked at
every_base = pytest.mark.parametrize("base", BASES)


def document(served: Server, base: str) -> dict[str, Any]:
    """The document of one base; nobody needs a token to read it."""
    answer = httpx.get(f"{served.url}{'' if base == 'front' else '/' + base}/openapi.json", trust_env=False, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def statement(served: Server, base: str) -> dict[str, Any]:
    """The statement of one base."""
    address = f"{served.url}{'' if base == 'front' else '/' + base}/fhir/metadata"
    found: dict[str, Any] = httpx.get(address, trust_env=False, timeout=30).json()
    return found


def references(node: Any) -> Iterator[str]:
    """Every `$ref` of a document."""
    if isinstance(node, dict):
        for name, member in node.items():
            if name == "$ref":
                yield member
            else:
                yield from references(member)
    elif isinstance(node, list):
        for member in node:
            yield from references(member)


@every_base
def test_every_reference_of_the_document_leads_somewhere(served: Server, base: str) -> None:
    tree = document(served, base)
    assert tree["openapi"] == "3.1.0"
    assert tree["servers"] == [{"url": statement(served, base)["implementation"]["url"]}]
    for reference in set(references(tree)):
        _, kind, name = reference.removeprefix("#/").split("/")
        assert name in tree["components"][kind], reference
    named = [item["operationId"] for path in tree["paths"].values() for m, item in path.items() if m != "parameters"]
    assert len(named) == len(set(named))


@every_base
def test_the_document_says_what_the_statement_says(served: Server, base: str) -> None:
    tree, rest = document(served, base), statement(served, base)["rest"][0]
    for resource in rest["resource"]:
        kind = resource["type"]
        can = {interaction["code"] for interaction in resource["interaction"]}
        assert ("post" in tree["paths"].get(f"/{kind}", {})) == ("create" in can), kind
        assert ("patch" in tree["paths"].get(f"/{kind}/{{id}}", {})) == ("patch" in can), kind
        stated = {f"{kind}.{parameter['name']}" for parameter in resource.get("searchParam", ())}
        asked = {r.rpartition("/")[2] for r in references(tree["paths"][f"/{kind}"]["get"])}
        assert stated <= asked, stated - asked
        for operation in resource.get("operation", ()):
            called = f"${operation['name']}"
            assert [path for path in tree["paths"] if re.fullmatch(rf"/{kind}(/\{{id\}})?/{re.escape(called)}", path)]


@every_base
def test_the_services_keep_to_the_document(
    served: Server, base: str, request: pytest.FixtureRequest, record_property: Any
) -> None:
    """Requests made from the document alone: no fault of the server, and only the answers it names."""
    schema = schemathesis.openapi.from_dict(document(served, base))
    operations = [found.ok() for found in schema.get_all_operations() if found.ok() is not None]
    random.Random(SEED).shuffle(operations)
    until = time.monotonic() + request.config.getoption("--fuzz-seconds") / len(BASES)
    root = f"{served.url}{'' if base == 'front' else '/' + base}/fhir"
    wrong, looked = [], 0
    with served.client() as client:
        bearer = client.get("/fhir/Patient?_count=0").request.headers["authorization"]
        for operation in operations:
            if time.monotonic() > until and looked >= AT_LEAST:
                break
            looked += 1
            try:
                look_at(operation, root, bearer)
            except Exception as error:
                wrong.append(f"{operation.method.upper()} {operation.path}: {str(error)[:900]}")
    record_property("looked", f"{looked} of {len(operations)} interactions")
    assert wrong == [], "\n\n".join(wrong)


def look_at(operation: Any, root: str, bearer: str) -> None:
    """A few requests of one interaction, always the same ones."""

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        response = case.call(base_url=root, headers={"Authorization": bearer})
        case.validate_response(response, checks=CHECKS)
        if 400 <= response.status_code < 500:
            assert response.status_code in operation.definition.raw["x-refusals"], (
                f"{response.status_code} is not named"
            )

    ask()
