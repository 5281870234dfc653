"""On the official examples every invariant says what the official expression says, element by element."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slipring.fhir.checks.invariants
from fhirpathpy import evaluate
from fhirpathpy.models import models
from slipring.fhir.checks.invariants import declared
from slipring.fhir.checks.schema import members
from slipring.fhir.checks.shape import check
from slipring.fhir.text import parse

EXAMPLES = sorted((Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-examples").glob("*.json"))
_FILE = Path(slipring.fhir.checks.invariants.__file__).parent / "official.json"
OFFICIAL = {(one["of"], one["key"]): one for one in json.loads(_FILE.read_text("utf-8"))["invariants"]}
# The reasons stand in shared/tests/test_invariants.py.
NOT_ASKED = {"sqty-1", "con-3", "txt-2", "dom-3", "que-7", "rng-2", "adf-0", "cmd-0", "mea-0", "pdf-0", "que-0"}
_MOST = 12  # nodes of one type in one example
_TRIES = 15  # places of one example

pytestmark = pytest.mark.skipif(not EXAMPLES, reason="the official examples are not beside this project")


def typed(node: dict[str, Any], type_name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each complex element with its type."""
    yield type_name, node
    for name, kind in members(type_name).items():
        below = node.get(name, [])
        for item in below if isinstance(below, list) else [below]:
            if isinstance(item, dict):
                yield from typed(item, kind)


JUNK: tuple[Any, ...] = (
    None,
    0,
    -1,
    "",
    "x",
    "#",
    True,
    [],
    {},
    [None],
    ["x"],
    [{}],
    {"x": 1},
    {"resourceType": "Patient"},
    [[]],
)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_no_junk_at_a_place_of_an_example_makes_the_check_fail(file: Path) -> None:
    _, resource = parse(file.read_bytes())
    dice = random.Random(file.stem)
    found = list(places(resource))
    for container, key in dice.sample(found, min(_TRIES, len(found))):
        before = container[key]
        container[key] = copy.deepcopy(dice.choice(JUNK))
        assert isinstance(check(resource, profiles=()), list)
        container[key] = before


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_predicates_and_official_expressions_agree_on_an_example(file: Path) -> None:
    _, resource = parse(file.read_bytes())
    plain = json.loads(file.read_bytes())
    by_type: dict[str, list[dict[str, Any]]] = {}
    for type_name, node in typed(plain, resource["resourceType"]):
        by_type.setdefault(type_name, []).append(node)
    asked = 0
    for (of, key), rule in declared().items():
        official = OFFICIAL.get((of, key))
        if official is None or key in NOT_ASKED or of == "DomainResource":
            continue
        for node in by_type.get(of, [])[:_MOST]:
            expression = official["expression"].replace(".hasValue()", ".exists()")
            path = expression if "resourceType" in node else {"base": official["path"], "expression": expression}
            context = {"ucum": "http://unitsofmeasure.org", "resource": plain, "rootResource": plain}
            officially = evaluate(node, path, context, models["r4"]) != [False]
            assert (rule.holds(node) is True) == officially, (of, key)
            asked += 1
    assert asked or not any(of in by_type for of, key in declared() if key not in NOT_ASKED)
