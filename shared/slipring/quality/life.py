"""The lives of nonconformities and complaints, as `life.toml` lists them (4.8, 4.9-4.12)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.findings import TRANSLATION
from slipring.fhir.service import CANONICAL, Resource
from slipring.fhir.terminology.own import own_system
from slipring.rules.lifecycle import Table, Transition

TASK_CODE_SYSTEM = f"{CANONICAL}/CodeSystem/task-code"
STATE_SYSTEM = f"{CANONICAL}/CodeSystem/quality-state"
OPENED, CLOSED = "opened", "closed"
KINDS = ("nonconformity", "complaint")


@dataclass(frozen=True, slots=True)
class Demand:
    """What must stand on the Task for a move."""

    needs: tuple[str, ...]
    another: bool  # by somebody else than the owner


def kind_of(task: Resource) -> str:
    """`nonconformity`, `complaint`, or empty for other Tasks."""
    for coding in task.get("code", {}).get("coding", []):
        if coding.get("system") == TASK_CODE_SYSTEM and coding.get("code") in KINDS:
            return str(coding["code"])
    return ""


def state_of(task: Resource) -> str:
    """Where it stands; a Task that says nothing was opened only."""
    for coding in task.get("businessStatus", {}).get("coding", []):
        if coding.get("system") == STATE_SYSTEM:
            return str(coding.get("code", ""))
    return OPENED


@cache
def table(kind: str) -> Table:
    """The moves of one kind."""
    return tuple(
        Transition(state, entry["event"], entry["to"], entry["clause"])
        for entry in _file()[kind]
        for state in _states(entry)
    )


def demand(kind: str, state: str, target: str) -> Demand:
    """What a legal move needs."""
    for entry in _file()[kind]:
        if state in _states(entry) and entry["to"] == target:
            return Demand(tuple(entry["needs"]), entry.get("another", False))
    return Demand((), False)


def lacking(task: Resource, wanted: Demand) -> list[str]:
    """The FHIRPaths of what is needed and not said."""
    return [_place(need) for need in wanted.needs if not _said(task, need)]


def told(task: Resource, member: str, code: str) -> Any:
    """The value of a coded input or output, or None."""
    for entry in task.get(member, []):
        if any(coding.get("code") == code for coding in entry.get("type", {}).get("coding", [])):
            return next((value for name, value in entry.items() if name.startswith("value")), None)
    return None


def members(state: str, now: datetime) -> dict[str, Any]:
    """The members of the Task that follow from its state."""
    zh, en = names()[state]["zh"], names()[state]["en"]
    parts = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": en}]
    coding = {"system": STATE_SYSTEM, "code": state, "display": zh}
    return {
        "status": _file()["status"][state],
        "businessStatus": {
            "coding": [coding],
            "text": zh,
            "_text": {"extension": [{"url": TRANSLATION, "extension": parts}]},
        },
        "lastModified": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def names() -> Mapping[str, Mapping[str, str]]:
    """Every state with its names, `zh` and `en`."""
    return dict(_file()["names"])


def _states(entry: Mapping[str, Any]) -> list[str]:
    return [entry["from"]] if isinstance(entry["from"], str) else list(entry["from"])


def _said(task: Resource, need: str) -> bool:
    member, _, code = need.partition(":")
    if code:
        value = told(task, member, code)
        return bool(value.strip() if isinstance(value, str) else value)
    node: Any = task
    for name in member.split("."):
        node = (node or {}).get(name)
    return bool(node)


def _place(need: str) -> str:
    member, _, code = need.partition(":")
    return f"Task.{member}.where(type.coding.code='{code}')" if code else f"Task.{member}"


@cache
def _file() -> Mapping[str, Any]:
    with Path(__file__).with_name("life.toml").open("rb") as file:
        return tomllib.load(file)


STATES = own_system("quality-state", "State of a nonconformity or complaint", "不符合项与投诉状态", names())
