"""Who keeps a resource: pure answers from the table `owners.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any
from urllib.parse import unquote

from slipring.fhir.caller import BY_TYPE_ONLY
from slipring.fhir.service import CANONICAL

LETTERS = {"o": "order", "c": "consent", "r": "report", "k": "critical", "f": "front"}
_LETTERED = re.compile(r"^([orckf])-")
_REFERENCE = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$")


@dataclass(frozen=True, slots=True)
class Ownership:
    """Where a resource goes; `movable` are the keepers that a transaction may send it to instead."""

    owner: str
    movable: tuple[str, ...] = ()


class Owners:
    """The table, ready to be asked."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._single = {kept: service for service, types in tree["single"].items() for kept in types}
        self._shared: Mapping[str, Any] = tree["shared"]
        self._rules: Sequence[Mapping[str, Any]] = tree["rule"]
        self._operations: Mapping[str, str] = tree["operations"]

    @property
    def types(self) -> list[str]:
        """All kept types, sorted."""
        return sorted([*self._single, *self._shared])

    @property
    def linked(self) -> list[str]:
        """The types that includes lead from and to: the audit trail stands beside the records, never among them."""
        return [kept for kept in self.types if kept not in BY_TYPE_ONLY]

    @property
    def services(self) -> tuple[str, ...]:
        """All services, in the order they are named in; the front itself, which keeps its own audit rows only, is none."""
        return tuple(service for service in LETTERS.values() if service != "front")

    def keepers_of(self, resource_type: str) -> tuple[str, ...]:
        """The services that keep a type, the default owner first; none if nobody does."""
        if resource_type in self._single:
            return (self._single[resource_type],)
        if resource_type not in self._shared:
            return ()
        default = self._shared[resource_type]["default"]
        return (default, *(service for service in self._shared[resource_type]["keepers"] if service != default))

    def owner_of_read(self, resource_type: str, resource_id: str) -> str | None:
        """The owner of `Type/id`: by the id's letter, else the default owner."""
        keepers = self.keepers_of(resource_type)
        letter = _LETTERED.match(resource_id)
        if len(keepers) > 1 and letter and LETTERS[letter[1]] in keepers:
            return LETTERS[letter[1]]
        return keepers[0] if keepers else None

    def is_certain(self, resource_type: str, resource_id: str) -> bool:
        """Whether type and id alone say who keeps it."""
        keepers = self.keepers_of(resource_type)
        letter = _LETTERED.match(resource_id)
        return len(keepers) < 2 or bool(letter and LETTERS[letter[1]] in keepers)

    def owner_of(self, resource: Mapping[str, Any]) -> Ownership | None:
        """The owner of a resource that someone outside writes; None if nobody keeps the type."""
        resource_type = str(resource.get("resourceType"))
        keepers = self.keepers_of(resource_type)
        if len(keepers) < 2:
            return Ownership(keepers[0]) if keepers else None
        for rule in self._rules:
            if rule["type"] == resource_type and (owner := self._by_rule(rule, resource)) in keepers:
                return Ownership(owner)
        return Ownership(keepers[0], movable=keepers)

    def owner_of_operation(self, resource_type: str, operation: str) -> str | None:
        """The owner of a type-level operation, named with its dollar sign."""
        keepers = self.keepers_of(resource_type)
        return self._operations.get(f"{resource_type}/{operation}") or (keepers[0] if keepers else None)

    @property
    def topics(self) -> list[str]:
        """The canonical addresses of all topics, as the rules name them."""
        return [f"{CANONICAL}/{end}" for rule in self._of_subscriptions() for end in rule["ends"]]

    def tellers_of(self, criteria: str) -> tuple[str, ...]:
        """The services whose events a Subscription with these criteria would be told of; none if nobody's."""
        for rule in self._of_subscriptions():
            if _fits(rule, [criteria]):
                return (str(rule["owner"]),)
        resource_type, _, query = criteria.partition("?")
        keepers = self.keepers_of(resource_type)
        if len(keepers) < 2:
            return keepers
        pinned = [self._pinned_by(resource_type, values) for values in re.findall(r"(?:^|&)code=([^&]*)", query)]
        return next((owners for owners in pinned if owners), keepers)

    def _of_subscriptions(self) -> list[Mapping[str, Any]]:
        return [rule for rule in self._rules if rule["type"] == "Subscription" and "ends" in rule]

    def _pinned_by(self, resource_type: str, values: str) -> tuple[str, ...]:
        """The owners of all these codes, when rules name each of them."""
        found = {}
        for value in unquote(values).split(","):
            code = value.partition("|")[2] or value
            for rule in self._rules:
                if rule["type"] == resource_type and code in {c.partition("|")[2] for c in rule.get("codes", ())} - {
                    ""
                }:
                    found[code] = str(rule["owner"])
                    break
            else:
                return ()
        return tuple(dict.fromkeys(found.values()))

    def _by_rule(self, rule: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
        values = values_at(resource, rule["path"])
        if rule.get("follows"):
            return self._followed(values)
        if "with" in rule and not _fits(rule["with"], values_at(resource, rule["with"]["path"])):
            return ""
        return str(rule["owner"]) if _fits(rule, values) else ""

    def _followed(self, values: Sequence[Any]) -> str:
        for value in values:
            text = value.get("reference", "") if isinstance(value, Mapping) else str(value)
            if match := _REFERENCE.search(text):
                return self.owner_of_read(match["type"], match["id"]) or ""
            if tellers := self.tellers_of(text):
                return tellers[0]
        return ""


def _fits(rule: Mapping[str, Any], values: Iterable[Any]) -> bool:
    codes = {token.replace("{C}", CANONICAL) for token in rule.get("codes", ())}
    ends = tuple(f"/{end}" for end in rule.get("ends", ()))
    for value in values:
        if isinstance(value, Mapping):
            system, code = value.get("system", ""), value.get("code", "")
            if codes & {f"{system}|{code}", f"{system}|"}:
                return True
            match = _REFERENCE.search(str(value.get("reference", "")))
            named = match["type"] if match else value.get("type")
            if named in rule.get("points", ()):
                return True
        elif ends and f"/{str(value).partition('|')[0]}".endswith(ends):
            return True
    return False


def values_at(tree: Any, path: str) -> list[Any]:
    """All values at a dotted path; arrays on the way are walked."""
    found = [tree]
    for name in path.split("."):
        step = [branch.get(name) for branch in found if isinstance(branch, Mapping)]
        found = [item for value in step for item in (value if isinstance(value, list) else [value]) if item is not None]
    return found


@lru_cache(maxsize=1)
def the_owners() -> Owners:
    """The table that ships with this version."""
    return Owners(tomllib.loads(resources.files("slipring.front").joinpath("owners.toml").read_text("utf-8")))
