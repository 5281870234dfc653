"""The alert rules and the dashboard ask for metrics and labels that are really served."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.architecture.tree import ROOT
from tests.support.department import Department

FOLDER = ROOT / "deploy" / "watching"
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
_METRIC = re.compile(r"\b(?:slipring|process)_[a-z_]+\b(?!\s*\()")
_LABELS = re.compile(r"\bby \(([a-z, ]+)\)|\{([^}]*)\}")
_OF_PROMETHEUS = {"job", "instance", "le"}


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression with the name of what asks it."""
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.fixture(scope="package")
async def served(department: Department) -> AsyncIterator[dict[str, set[str]]]:
    """Every name a sample may have, with the labels its family was declared or seen with."""
    names: dict[str, set[str]] = {}
    for path in ("/metrics", *(f"/{name}/metrics" for name in department.house.services)):
        for family in text_string_to_metric_families((await department.his.get(path)).text):
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
            for ending in endings:
                seen = names.setdefault(family.name + ending, set())
                seen |= {label for sample in family.samples for label in sample.labels}
    meters = department.house.services["order"].kernel.meters
    for metric in (meters.requests, meters.sent, meters.token_refusals, meters.limited, meters.clock_jumps):
        names[f"{metric._name}_total"] |= set(metric._labelnames)
    yield names


@pytest.mark.parametrize(("asks", "expression"), list(expressions()), ids=lambda text: text[:40])
async def test_what_is_asked_for_is_served(served: dict[str, set[str]], asks: str, expression: str) -> None:
    metrics = _METRIC.findall(expression)
    assert metrics or expression == "up == 0", asks
    for metric in metrics:
        assert metric in served, f"{asks}: {metric}"
        labels = set()
        for by, within in _LABELS.findall(expression):
            labels |= {one.strip() for one in by.split(",") if one.strip()}
            labels |= {re.split(r"[=!~]", one)[0].strip() for one in within.split(",") if one.strip()}
        known = served[metric] | _OF_PROMETHEUS | {"subscription", "alarm"}
        assert labels <= known, f"{asks}: {labels - known}"


def test_every_metric_of_ours_is_on_the_dashboard_and_in_the_documentation(served: dict[str, set[str]]) -> None:
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served if name.startswith("slipring_")}
    shown = (FOLDER / "dashboard.json").read_text("utf-8")
    told = (ROOT / "docs" / "watching.md").read_text("utf-8")
    assert [name for name in sorted(stems) if name not in told] == []
    drawn = {m for _, expression in expressions() for m in _METRIC.findall(expression)}
    stems_drawn = {re.sub(r"_(bucket|sum|count)$", "", name) for name in drawn}
    assert stems - stems_drawn - {"slipring_subscription_in_error"} == set()
    assert "slipring_without_deadline" in shown


def test_every_alert_says_in_both_languages_what_is_wrong_and_how_urgent_it_is() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.search(r"[A-Za-z]", rule["annotations"]["summary"])
