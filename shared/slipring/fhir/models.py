"""The FHIR model classes we use: the only place that imports fhir.resources.

They serve to build resources, to read typed in tests, and to say what an element is. They are no validator, and
nothing they print is stored or signed: they lose the digits of decimals.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any

# Names of the model library that differ from the specification's names of primitive types.
_PRIMITIVES = {
    "bool": "boolean",
    "Boolean": "boolean",
    "EncodedBytes": "base64Binary",
    "Base64Binary": "base64Binary",
    "UuidVersion": "uuid",
    "Code": "code",
    "Id": "id",
    "Decimal": "decimal",
    "Integer": "integer",
    "UnsignedInt": "unsignedInt",
    "PositiveInt": "positiveInt",
    "Uri": "uri",
    "Oid": "oid",
    "Uuid": "uuid",
    "Canonical": "canonical",
    "Url": "url",
    "Xhtml": "xhtml",
    "Markdown": "markdown",
    "Date": "date",
    "DateTime": "dateTime",
    "Instant": "instant",
    "Time": "time",
    "String": "string",
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type: its JSON name, type, cardinality and, for references, the types it may point at."""

    name: str
    type: str  # a primitive ("dateTime") or the name of a model class ("Period", "ObservationComponent")
    primitive: bool
    many: bool = False
    required: bool = False
    choice: str = ""  # "value" for valueQuantity
    choice_required: bool = False
    targets: tuple[str, ...] = ()  # empty: not a reference, or any resource


@cache
def model(name: str) -> Any:
    """The model class of a resource or data type, e.g. `model("ServiceRequest")`."""
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(name)


def typed(tree: Mapping[str, Any]) -> Any:
    """Read a tree into its model, for typed access; never print it back into what is stored."""
    return model(tree["resourceType"]).model_validate(dict(tree))


@cache
def elements(name: str) -> tuple[Element, ...]:
    """The elements of a type, from the metadata of its model."""
    return tuple(
        _element(alias, field)
        for key, field in model(name).model_fields.items()
        if key not in ("fhir_comments", "resource_type") and not (alias := field.alias or key).startswith("_")
    )


def _element(alias: str, field: Any) -> Element:
    extra = field.json_schema_extra or {}
    many, written = _type_of(field.annotation)
    targets = extra.get("enum_reference_types", ()) if written == "Reference" else ()
    return Element(
        name=alias,
        type=_PRIMITIVES.get(written, written),
        primitive=written in _PRIMITIVES,
        many=many,
        required=bool(field.is_required() or extra.get("element_required")),
        choice=extra.get("one_of_many", ""),
        choice_required=bool(extra.get("one_of_many_required")),
        targets=() if "Resource" in targets else tuple(targets),
    )


def _type_of(annotation: Any) -> tuple[bool, str]:
    """Whether it repeats, and the written name of its type."""
    many = False
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Union or origin is UnionType:
            annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
        elif origin is list:
            many, annotation = True, typing.get_args(annotation)[0]
        elif origin is typing.Annotated:
            return many, type(typing.get_args(annotation)[1]).__name__
        else:
            name = str(getattr(annotation, "__name__", annotation))
            return many, name.removesuffix("Type") if name != "Type" else name
