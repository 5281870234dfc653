"""Who names which clause: the rules with their cases, the rows of lifecycles, and the tests, read from the source."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from slipring.rules.rulebook import Rule
from slipring.verdicts.declared import Check, read_checks

ROOT = Path(__file__).parents[1]
SERVICES = ("order", "consent", "report", "critical")
_TEST_ROOMS = ("tests", "shared/tests", *(f"services/{name}/tests" for name in SERVICES), "deploy/demo/tests")


def rules_of(service: str) -> dict[str, Rule[Any]]:
    """Every rule of a service by its id."""
    package = importlib.import_module(f"slipring_{service}.rules")
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return {value.id: value for module in modules for value in vars(module).values() if isinstance(value, Rule)}


def checks_of(service: str) -> Sequence[Check]:
    """The checks that a service declares for its clauses, in the order of its file."""
    return read_checks(ROOT / "services" / service / f"slipring_{service}" / "clauses" / "checks.toml")


def case_counts() -> Mapping[str, int]:
    """How many cases are written for each rule."""
    counts: Counter[str] = Counter()
    for service in SERVICES:
        for path in (ROOT / "services" / service / f"slipring_{service}" / "rules").rglob("*.toml"):
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
            counts[tree["rule"]] += len(tree.get("case", ()))
    return counts


@cache
def labels_in_data() -> list[tuple[str, str]]:
    """Every `clause` value of the TOML files of services and ring, with the file that says it."""
    return [
        (label, str(path.relative_to(ROOT)))
        for room in ("services", "shared/slipring")
        for path in sorted((ROOT / room).rglob("*.toml"))
        if "tests" not in path.parts and path.parent.name != "clauses"
        for label in _labels(tomllib.loads(path.read_text(encoding="utf-8")))
    ]


def labels_in_code() -> Iterator[tuple[str, str]]:
    """Every literal `clause="..."` that services and ring pass, with the place that says it."""
    for room in ("services", "shared/slipring"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "tests" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "clause" and isinstance(node.value, ast.Constant):
                    yield str(node.value.value), f"{path.relative_to(ROOT)}:{node.value.lineno}"


@cache
def tests_by_label() -> Mapping[str, list[str]]:
    """The tests that carry `@pytest.mark.clause(label)`, as `file::test`; a `pytestmark` counts for its whole file."""
    found: dict[str, list[str]] = {}
    for room in _TEST_ROOMS:
        for path in sorted((ROOT / room).rglob("test_*.py")):
            name = str(path.relative_to(ROOT))
            for label, place in _marked(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(label, []).append(f"{name}::{place}" if place else name)
    return found


def _labels(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "clause" and isinstance(inner, str):
                yield inner
            else:
                yield from _labels(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _labels(inner)


def _marked(tree: ast.AST, within: str = "") -> Iterator[tuple[str, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            place = f"{within}{node.name}"
            yield from ((label, place) for decorator in node.decorator_list for label in _named(decorator))
            if isinstance(node, ast.ClassDef):
                yield from _marked(node, f"{place}::")
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets
        ):
            yield from ((label, within.removesuffix("::")) for label in _named(node.value))


def _named(marks: ast.expr) -> Iterator[str]:
    """The labels of every `pytest.mark.clause(...)` in an expression."""
    for node in ast.walk(marks):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "clause":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
