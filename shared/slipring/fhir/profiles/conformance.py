"""Whether a resource is what a profile says: cardinality, fixed values and patterns, bindings, types, slices.

The same data that is served as StructureDefinition is read here, so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.outcome import Issue
from slipring.fhir.profiles.profile import Profile
from slipring.fhir.profiles.registry import profile
from slipring.fhir.terminology import value_set

Place = tuple[Any, str]  # a value and where it stands


def against(url: str, resource: Mapping[str, Any], at: str) -> list[Issue]:
    """What keeps a resource from being what the profile says; a profile that is none of ours is said to be unknown."""
    found = profile(url)
    if found is None:
        return [
            Issue(
                "not-found",
                zh=f"{at}：此处不认识该 profile，未按其检查。",
                en=f"{at}: this profile is not known here, nothing was checked against it.",
                at=at,
                severity="warning",
                detail="profile.unknown",
            )
        ]
    if resource.get("resourceType") != found.type:
        return [_issue(at, "structure", "type", f"is no {found.type}", f"不是 {found.type}")]
    return list(_checked(found, resource, at))


def _checked(of: Profile, node: Mapping[str, Any], at: str) -> Iterator[Issue]:
    for element in of.element:
        steps = str(element["id"]).split(".")
        for parent, place in _walk(of, [(node, at)], steps[:-1], ""):
            if isinstance(parent, Mapping):
                yield from _element(of, element, parent, place, steps)


def _walk(of: Profile, places: list[Place], steps: list[str], above: str) -> list[Place]:
    """All values that the steps lead to; a slice keeps those that belong to it."""
    for step in steps:
        above = f"{above}.{step}" if above else step
        places = [found for value, at in places if isinstance(value, Mapping) for found in _members(value, at, step)]
        if ":" in step:
            places = [(value, at) for value, at in places if _belongs(of, above, value)]
    return places


def _members(node: Mapping[str, Any], at: str, step: str) -> Iterator[Place]:
    name = step.partition(":")[0]
    names = [name]
    if name.endswith("[x]"):
        stem = name.removesuffix("[x]")
        names = [key for key in node if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()]
    for key in names:
        value = node.get(key)
        if isinstance(value, list):
            yield from ((item, f"{at}.{key}[{index}]") for index, item in enumerate(value))
        elif value is not None:
            yield value, f"{at}.{key}"


def _belongs(of: Profile, slice_id: str, value: Any) -> bool:
    member, wanted = of.member_of(slice_id)
    return isinstance(value, Mapping) and member in value and holds(value[member], wanted)


def _element(
    of: Profile, element: Mapping[str, Any], parent: Mapping[str, Any], at: str, steps: list[str]
) -> Iterator[Issue]:
    found = list(_members(parent, at, steps[-1]))
    name = steps[-1].partition(":")[0]
    if ":" in steps[-1]:
        found = [(value, place) for value, place in found if _belongs(of, ".".join(steps), value)]
    least, most = int(element.get("min", 0)), str(element.get("max", "*"))
    told = str(element.get("short", name))
    told_zh = str(element.get("zh", told))
    if len(found) < least:
        en, zh = f"needs {told}", f"须有{told_zh}"
        yield _issue(f"{at}.{name.removesuffix('[x]')}", "required", "required", en, zh)
    if most != "*" and len(found) > int(most):
        place = found[int(most)][1]
        yield _issue(place, "structure", "max", f"may be given at most {most} times", f"最多 {most} 个")
    for value, place in found:
        yield from _value(of, element, value, place)


def _value(of: Profile, element: Mapping[str, Any], value: Any, place: str) -> Iterator[Issue]:
    told = of.fixed(str(element["id"]))
    if told and not (value == told[1] if told[0].startswith("fixed") else holds(value, told[1])):
        yield _issue(place, "value", "fixed", "does not hold what the profile fixes", "不是规定的固定值")
    if "valueSet" in element and not _bound(value, str(element["valueSet"])):
        yield _issue(place, "code-invalid", "code", "is not of the required value set", "不是规定值集中的代码")
    if "targets" in element and not _points(value, element["targets"]):
        listed = list(element["targets"])
        yield _issue(
            place, "value", "target", f"must refer to {', '.join(listed)}", f"应为指向 {'、'.join(listed)} 的引用"
        )
    stem = str(element["id"]).rpartition(".")[2]
    if "types" in element and stem.endswith("[x]"):
        key = place.rpartition(".")[2].partition("[")[0].removeprefix(stem.removesuffix("[x]"))
        if key.lower() not in {kind.lower() for kind in element["types"]}:
            allowed = list(element["types"])
            yield _issue(
                place, "structure", "type", f"must be one of {', '.join(allowed)}", f"类型应为 {'、'.join(allowed)}"
            )
    if "profile" in element:
        extension = profile(str(element["profile"]))
        if extension is not None:
            yield from _checked(extension, value, place)


def holds(value: Any, pattern: Any) -> bool:
    """Whether a value holds at least what a pattern says; each item of a list pattern must be somewhere in the list."""
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(key in value and holds(value[key], pattern[key]) for key in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(holds(item, one) for item in value) for one in pattern)
    return bool(value == pattern) and isinstance(value, bool) == isinstance(pattern, bool)


def _bound(value: Any, url: str) -> bool:
    allowed = value_set(url)
    if allowed is None:
        return True
    if isinstance(value, str):
        return allowed.find(value) is not None
    codings = value.get("coding", []) if isinstance(value, Mapping) and "coding" in value else [value]
    return any(isinstance(c, Mapping) and (c.get("system", ""), c.get("code", "")) in allowed.codes for c in codings)


def _points(value: Any, targets: Any) -> bool:
    """Whether a reference may be one to these types; one that does not say its type is not judged."""
    if not isinstance(value, Mapping):
        return False
    reference = str(value.get("reference", ""))
    named = str(value.get("type", "")).rpartition("/")[2]
    if not named and not reference.startswith(("#", "urn:")) and "/" in reference:
        named = reference.partition("/_history/")[0].split("?")[0].rstrip("/").rpartition("/")[0].rpartition("/")[2]
    return not named or not named[:1].isupper() or named in targets


def _issue(place: str, code: str, detail: str, en: str, zh: str) -> Issue:
    return Issue(code, zh=f"{place}：{zh}。", en=f"{place}: {en}.", at=place, detail=f"profile.{detail}")
