"""What a schema cannot say, found in one walk over the tree: invariants, references, narratives, gaps in lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slipring.fhir.checks import narrative
from slipring.fhir.checks.finding import broken, finding
from slipring.fhir.checks.invariants import Invariant
from slipring.fhir.checks.plan import NOTHING, Plan
from slipring.fhir.outcome import Issue

Trail = tuple[Any, str | int] | None  # (the trail above, this step): written out only for a finding
_SPEAKING = frozenset({"reference", "div"})  # texts that are looked into
Child = tuple[dict[str, Any], str]  # a resource inside, and the place it stands at

_REFERRED_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?:/[A-Za-z0-9.-]{1,64}(?:/_history/[^/]+)?|\?.*)$")

# Addresses that a page may make a link of (Attachment.url, Endpoint.address), and those that would run something there.
_ADDRESSES = frozenset({"url", "address", "endpoint", "valueUrl", "valueUri", "valueCanonical"})
_RUNS = re.compile(r"\s*(?:java|vb)script:|\s*data:text/html", re.IGNORECASE)


class Walk:
    """One resource without the resources inside it, which are listed in `children`."""

    def __init__(self, at: str, contained: Mapping[str, str], *, advise: bool = False, sound: bool = True) -> None:
        """`contained`: the ids a `#` reference may name, each with its type; `advise`: warnings too.

        `sound`: the schema found nothing, so that an invariant may rely on the shape of what it is asked of.
        """
        self.at = at
        self.contained = contained
        self.advise = advise
        self.sound = sound
        self.issues: list[Issue] = []
        self.children: list[Child] = []

    def over(self, resource: Mapping[str, Any], plan: Plan) -> None:
        """Walk one resource; what it contains is left to its own check."""
        self._object(resource, plan, None)

    def _object(self, node: Mapping[str, Any], plan: Plan, trail: Trail) -> None:
        for key, value in node.items():
            kind = value.__class__
            if kind is str:
                if key in _SPEAKING:
                    look = self._narrative if key == "div" else self._reference
                    look(node, value, (trail, key))
                elif key in _ADDRESSES and _RUNS.match(value):
                    told = "must not run anything when it is followed", "打开时不得执行任何内容"
                    self._find((trail, key), "security", "script", *told)
            elif kind is dict:
                if (key in ("resource", "outcome")) and "resourceType" in value:
                    self.children.append((value, self._place((trail, key))))
                else:
                    self._object(value, plan.members.get(key, NOTHING), (trail, key))
            elif kind is list and (trail is not None or key != "contained"):
                self._list(node, key, value, plan.members.get(key, NOTHING), (trail, key))
        for rule in plan.rules:
            self._ask(rule, node, trail)
        if self.advise:
            for rule in plan.advice:
                self._ask(rule, node, trail)

    def _ask(self, rule: Invariant, node: Mapping[str, Any], trail: Trail) -> None:
        if self.sound:
            answer = rule.holds(node)
        else:
            try:
                answer = rule.holds(node)
            except (TypeError, ValueError, AttributeError, KeyError, IndexError):
                return  # what is amiss with the shape has been told already
        if answer is not True:
            self.issues.append(broken(rule, self._place(trail) + (answer or "")))

    def _list(self, node: Mapping[str, Any], key: str, items: list[Any], plan: Plan, trail: Trail) -> None:
        extensions = key in ("extension", "modifierExtension")
        for index, item in enumerate(items):
            if item.__class__ is dict:
                if extensions:
                    self._extension(item, (trail, index))
                self._object(item, plan, (trail, index))
            elif item is None and not _filled(node, key, index):
                self._find(
                    (trail, index),
                    "structure",
                    "null",
                    "must not be null without its sibling",
                    "缺少对应扩展时不得为 null",
                )

    def _extension(self, extension: Mapping[str, Any], trail: Trail) -> None:
        valued = any(name.startswith(("value", "_value")) for name in extension)
        if valued and "extension" in extension:
            self._find(trail, "invariant", "extension", "has both a value and extensions", "不得同时有值和下级扩展")
        elif not valued and "extension" not in extension:
            self._find(trail, "invariant", "extension", "has neither a value nor extensions", "须有值或下级扩展")

    def _reference(self, node: Mapping[str, Any], reference: str, trail: Trail) -> None:
        if reference.startswith("#"):
            named = self.contained.get(reference[1:])
            if named is None:
                self._find(trail, "value", "contained", "names nothing contained here", "所指的内含资源不存在")
                return
        else:
            match = _REFERRED_TYPE.search(reference)
            named = match[1] if match else ""
        stated = node.get("type")
        if named and isinstance(stated, str) and stated.rpartition("/")[2] != named:
            above = trail[0] if trail else None
            self._find((above, "type"), "value", "target", "does not agree with the reference", "与引用的类型不一致")

    def _narrative(self, _: Mapping[str, Any], div: str, trail: Trail) -> None:
        fault = narrative.fault(div)
        if fault:
            detail, english, chinese = fault
            self._find(trail, "security" if detail == "script" else "invariant", detail, english, chinese)

    def _find(self, trail: Trail, code: str, detail: str, english: str, chinese: str) -> None:
        place = self._place(trail)
        self.issues.append(finding(place, code, detail, english, chinese))

    def _place(self, trail: Trail) -> str:
        steps: list[str] = []
        while trail is not None:
            trail, step = trail
            steps.append(f"[{step}]" if isinstance(step, int) else f".{step.removeprefix('_')}")
        return self.at + "".join(reversed(steps))


def _filled(node: Mapping[str, Any], key: str, index: int) -> bool:
    """Whether the other half of a list of primitives (`given` and `_given`) has something at this index."""
    other = node.get(key[1:] if key.startswith("_") else f"_{key}")
    return isinstance(other, list) and index < len(other) and other[index] is not None
