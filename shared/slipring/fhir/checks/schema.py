"""The compiled schema at run time: one validator per resource type, made when the type is first seen."""

from __future__ import annotations

import gzip
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec

from slipring.fhir.checks.finding import finding, missing
from slipring.fhir.outcome import Issue

_SCHEMA_FILE = Path(__file__).parent / "r4.schema.json.gz"
_TARGETS = re.compile(r"\(\?:([A-Z][A-Za-z|]+)\)\(\?:/")
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")
_DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"  # the long spelling of a type, not listed in messages
_MOST_LISTED = 16  # codes or types a message lists

_KINDS = {
    "object": ("an object", "对象"),
    "array": ("a list", "列表"),
    "string": ("a text", "文本"),
    "number": ("a number", "数字"),
    "integer": ("a whole number", "整数"),
    "boolean": ("true or false", "true 或 false"),
}


class _Whole:
    """The keyword `whole`: JSON Schema takes 3.0 for an integer, FHIR does not."""

    def __init__(self, _parent: Any, _value: Any, _path: Any) -> None:
        pass

    def validate(self, value: Any) -> None:
        if isinstance(value, Decimal | float):
            raise ValueError("written with a point or an exponent")


@cache
def _compiled() -> dict[str, Any]:
    return dict(msgspec.json.decode(gzip.decompress(_SCHEMA_FILE.read_bytes())))


def supported() -> frozenset[str]:
    """The resource types that have a schema."""
    return frozenset(_compiled()["needs"])


def members(type_name: str) -> dict[str, str]:
    """The elements of a type that are no primitives, each with its type."""
    found: dict[str, str] = _compiled()["members"].get(type_name, {})
    return found


def outline(resource_type: str) -> tuple[dict[str, Any], list[str]]:
    """The elements of a type with their JSON types, and which are required: a sketch for readers, not for checking."""
    definition = _compiled()["definitions"].get(resource_type, {})
    drawn = {name: _drawn(element) for name, element in definition.get("properties", {}).items() if name[0] != "_"}
    named = [name for rule in definition.get("allOf", ()) for name in rule.get("else", {}).get("required", ())]
    required = sorted({"resourceType", *definition.get("required", ()), *(name for name in named if name in drawn)})
    return {name: shape for name, shape in drawn.items() if name != "resourceType"}, required


def _drawn(element: dict[str, Any]) -> dict[str, Any]:
    name = element.get("$ref", "").rpartition("/")[2]
    if "enum" in element:
        return {"enum": element["enum"]}
    if name.startswith("p."):
        of: dict[str, Any] = _compiled()["definitions"][name]
        return {"type": of.get("type", "string")}
    if "items" in element:
        return {"type": "array", "items": _drawn(element["items"])}
    return {"type": "object"} if name else {}  # a gap in a list of primitives is null


@cache
def validator(resource_type: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of one resource type (about 20 ms the first time: warm up the types a service keeps)."""
    compiled = _compiled()
    schema = {
        "$ref": f"#/$defs/{resource_type}",
        "$defs": {name: compiled["definitions"][name] for name in compiled["needs"][resource_type]},
    }
    return jsonschema_rs.Draft202012Validator(
        schema, pattern_options=jsonschema_rs.RegexOptions(), keywords={"whole": _Whole}
    )


def issues(resource: dict[str, Any], at: str) -> list[Issue]:
    """What the schema finds, each with its place under `at`; the type must be a supported one."""
    found: dict[tuple[str, str], Issue] = {}
    for error in validator(resource["resourceType"]).iter_errors(resource):
        for issue in _told(error, at):
            found.setdefault((issue.at, issue.detail), issue)
    return list(found.values())


def path(at: str, steps: list[str | int]) -> str:
    """FHIRPath of an instance path; the sibling `_birthDate` is read as `birthDate`, whose children it carries."""
    written = at
    for position, step in enumerate(steps):
        if isinstance(step, int):
            written += f"[{step}]"
        elif _NAME.fullmatch(step):
            written += "." + (step.removeprefix("_") if position < len(steps) - 1 else step)
        else:
            written += ".?"
    return written


def _told(error: jsonschema_rs.ValidationError, at: str) -> list[Issue]:
    steps = list(error.instance_path)
    kind: Any = error.kind
    name = kind.name
    if name == "required":
        return [_missing(path(at, [*steps, kind.property.removesuffix("[x]")]), kind.property)]
    if name == "additionalProperties":
        return [
            finding(
                path(at, [*steps, unknown]),
                "structure",
                "unknown",
                "this element does not exist here",
                "此处没有该元素",
            )
            for unknown in kind.unexpected
        ]
    return [_of_value(name, kind, path(at, steps), steps, error)]


def _missing(place: str, name: str) -> Issue:
    if name.endswith("[x]"):
        return finding(place, "required", "required", f"one of {name} is required", f"须填写 {name} 之一")
    return missing(place)


def _of_value(name: str, kind: Any, place: str, steps: list[str | int], error: Any) -> Issue:
    if error.instance is None:
        return finding(place, "structure", "null", "must not be null", "不得为 null")
    if name == "falseSchema":
        return finding(
            place,
            "structure",
            "choice",
            "only one type of this element may be given",
            "该元素只能给出一种类型",
        )
    if name == "enum":
        listed = [code for code in kind.options if code is not None and not code.startswith(_DEFINITIONS)]
        few = len(listed) <= _MOST_LISTED
        return finding(
            place,
            "code-invalid",
            "code",
            "must be one of " + ", ".join(listed) if few else "is not a code of the required value set",
            "应为下列之一：" + "、".join(listed) if few else "不是规定值集中的代码",
        )
    if name == "contains":
        return finding(
            place, "code-invalid", "code", "needs a coding of the required value set", "须含规定值集中的编码"
        )
    if name in ("minItems", "minProperties"):
        return finding(place, "structure", "empty", "must not be empty", "不得为空")
    if name == "pattern":
        return _misfit(kind.pattern, place, steps)
    if name == "type":
        english, chinese = _KINDS.get(kind.types[0], ("of another kind", "其他类型"))
        return finding(place, "structure", "type", f"must be {english}", f"应为{chinese}")
    if name == "whole":
        return finding(place, "value", "type", "must be a whole number without a point", "应为不带小数点的整数")
    if name == "const":
        return finding(place, "structure", "type", "does not name this type", "类型名称不符")
    return finding(place, "value", "value", "has a value out of range", "取值超出范围")


def _misfit(pattern: str, place: str, steps: list[str | int]) -> Issue:
    told = _compiled()["patterns"].get(pattern)
    if told:
        return finding(place, "value", "value", told[0], told[1])
    targets = _TARGETS.search(pattern) if steps and steps[-1] == "reference" else None
    types = targets[1].split("|") if targets else []
    if 0 < len(types) <= _MOST_LISTED:
        return finding(
            place,
            "value",
            "target",
            f"must be a reference to {', '.join(types)}",
            f"应为指向 {'、'.join(types)} 的引用",
        )
    return finding(place, "value", "target", "must be a reference such as Patient/1", "应为引用，如 Patient/1")
