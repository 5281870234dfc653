"""From one name and its text to a condition: `code:not=x`, `subject:Patient.name=x`, `_has:Observation:patient:code=x`."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo

from slipring.fhir.search import values, wording
from slipring.fhir.search.composite import row_name
from slipring.fhir.search.condition import AnyOf, Chain, Clause, Condition, Has
from slipring.fhir.search.fold import bounded
from slipring.fhir.search.parameter import CONTROLS, Family, SearchParameter, parameters_for, searchable_types
from slipring.fhir.search.values import BelowValue, CodesValue, TokenValue, Value
from slipring.fhir.terminology.registry import value_set, value_set_urls

MOST_VALUES = 500
DEEPEST = 5  # links of one chain
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)
_FORMS = "_has:Type:reference:parameter"


@dataclass(frozen=True, slots=True)
class Reading:
    """How parameters are read: dates without a time zone are days of `zone`.

    `types` are the resource types that chains may open (those held beside the one searched, own or followed); None =
    no chains at all.
    """

    zone: tzinfo = UTC
    types: Collection[str] | None = None


def condition(resource_type: str, name: str, text: str, reading: Reading, depth: int = 0) -> Condition:
    """The condition that one parameter stands for; 400 naming what is valid for anything else."""
    if name.startswith("_has:"):
        return _has(resource_type, name, text, reading, depth)
    head, dot, rest = name.partition(".")
    if dot:
        return _chain(resource_type, head, rest, text, reading, depth)
    code, colon, modifier = name.partition(":")
    known = parameters_for(resource_type)
    parameter = known.get(code)
    if parameter is None:
        raise wording.unknown_parameter(resource_type, name, known if depth else (*known, *CONTROLS))
    if not _takes(parameter, modifier, present=bool(colon)):
        raise wording.unknown_modifier(code, modifier, (*parameter.modifiers, *parameter.targets))
    return clause(parameter, modifier, name, text, reading)


def _takes(parameter: SearchParameter, modifier: str, *, present: bool) -> bool:
    if not present or modifier in parameter.modifiers:
        return True
    return parameter.type == "reference" and not parameter.canonical and _may_name(parameter, modifier)


def _may_name(parameter: SearchParameter, wanted: str) -> bool:
    """Whether a reference may lead to this type; by a canonical URL, only to one that has such a URL."""
    if parameter.canonical and "url" not in parameters_for(wanted):
        return False
    return wanted in parameter.targets if parameter.targets else bool(_TYPE_NAME.fullmatch(wanted))


# --- through references -----------------------------------------------------------------------------------------


def _opened(reading: Reading, name: str, depth: int) -> Collection[str]:
    """The types that may be opened from here."""
    if reading.types is None:
        raise wording.unchained(name)
    if depth >= DEEPEST:
        raise wording.bad_value(name, f"a chain has at most {DEEPEST} links", f"链式检索最多 {DEEPEST} 层")
    return reading.types


def _reference_of(resource_type: str, code: str, name: str) -> SearchParameter:
    known = parameters_for(resource_type)
    parameter = known.get(code)
    if parameter is None or parameter.type != "reference":
        raise wording.unknown_parameter(
            resource_type, name, (one.code for one in known.values() if one.type == "reference")
        )
    return parameter


def _chain(resource_type: str, head: str, rest: str, text: str, reading: Reading, depth: int) -> Condition:
    code, colon, wanted = head.partition(":")
    name = f"{head}.{rest}"
    held = _opened(reading, name, depth)
    parameter = _reference_of(resource_type, code, name)
    if colon:
        if not _may_name(parameter, wanted):
            raise wording.unknown_modifier(code, wanted, parameter.targets or searchable_types())
        if wanted not in held:
            raise wording.not_held(name, wanted, held)
        return Chain(parameter, wanted, condition(wanted, rest, text, reading, depth + 1))
    first = re.split(r"[.:]", rest, maxsplit=1)[0]
    may = [one for one in parameter.targets if one in held and _may_name(parameter, one)]
    fitting = [one for one in may if (first in parameters_for(one) or first == "_has")]
    if not fitting:
        raise wording.untyped_chain(name, code, [one for one in parameter.targets or held if one in held])
    chains = tuple(Chain(parameter, one, condition(one, rest, text, reading, depth + 1)) for one in fitting)
    return chains[0] if len(chains) == 1 else AnyOf(chains)


def _has(resource_type: str, name: str, text: str, reading: Reading, depth: int) -> Condition:
    pieces = name.split(":", 3)
    held = _opened(reading, name, depth)
    if len(pieces) != 4 or not all(pieces):
        raise wording.bad_value(name, f"expected {_FORMS}", f"应为 {_FORMS}")
    _, other, code, rest = pieces
    if other not in held:
        raise wording.not_held(name, other, held)
    parameter = _reference_of(other, code, name)
    if parameter.targets and resource_type not in parameter.targets:
        raise wording.bad_value(
            name, f"{parameter.key} never refers to {resource_type}", f"{parameter.key} 不引用 {resource_type}"
        )
    return Has(resource_type, parameter, condition(other, rest, text, reading, depth + 1))


# --- one parameter ----------------------------------------------------------------------------------------------


def clause(parameter: SearchParameter, modifier: str, name: str, text: str, reading: Reading) -> Condition:
    """The condition of one parameter with a modifier that it takes."""
    family, keys = parameter.family, parameter.keys
    if modifier == "missing":
        if text not in ("true", "false"):
            raise wording.bad_value(name, "expected true or false", "应为 true 或 false")
        return Clause(parameter, family, keys, "missing", (text == "true",))
    pieces = values.split(text, ",")
    if not all(pieces):
        raise wording.bad_value(name, "a value is empty", "有空值")
    if len(pieces) > MOST_VALUES:
        raise wording.bad_value(name, f"more than {MOST_VALUES} values", f"超过 {MOST_VALUES} 个值")
    if parameter.parts:
        return _composite(parameter, name, pieces, reading)
    if modifier == "text":
        found = tuple(values.text(piece, name) for piece in pieces)
        return Clause(parameter, "string", tuple(f"{key}:text" for key in keys), "", found)
    if modifier in ("identifier", "of-type"):
        read = _of_type if modifier == "of-type" else values.token
        tokens = tuple(read(piece, name) for piece in pieces)
        return Clause(parameter, "token", tuple(f"{key}:{modifier}" for key in keys), "", tokens)
    parsed = tuple(value for piece in pieces for value in _values(parameter, modifier, name, piece, reading))
    if modifier in ("not", "not-in"):
        return Clause(parameter, family, keys, "not", parsed)
    return Clause(parameter, family, keys, modifier if modifier in ("exact", "contains") else "", parsed)  # type: ignore[arg-type]


def _values(parameter: SearchParameter, modifier: str, name: str, piece: str, reading: Reading) -> list[Value]:
    kind = parameter.type
    if modifier in ("in", "not-in"):
        return [_codes(parameter, name, values.unescaped(piece))]
    if modifier == "above":
        return [TokenValue(None, bounded(url)) for url in values.above(values.unescaped(piece))]
    if modifier == "below":
        return [BelowValue(bounded(values.unescaped(piece)).rstrip("/"))]
    if kind == "uri" or parameter.code == "_id":
        return [TokenValue(None, bounded(values.unescaped(piece)))]
    if kind == "token":
        return [values.token(piece, name, parameter.system)]
    if kind == "reference":
        return [values.reference(piece, parameter, name, wanted=modifier)]
    if kind == "quantity":
        return [*values.quantity(piece, name)]
    if kind == "number":
        return [values.number(piece, name)]
    return [values.date(piece, name, reading.zone) if kind == "date" else values.text(piece, name)]


def _codes(parameter: SearchParameter, name: str, url: str) -> CodesValue:
    """The codes of a value set that is shipped, as rows of the parameter hold them."""
    found = value_set(url)
    if found is None:
        raise wording.unknown_value_set(name, value_set_urls())
    implied = parameter.system
    return CodesValue(
        frozenset((bounded("" if system == implied else system), bounded(code)) for system, code in found.codes)
    )


def _of_type(text: str, name: str) -> TokenValue:
    """`system|code|value` of an identifier's type and its value."""
    pieces = [values.unescaped(piece) for piece in values.split(text, "|")]
    if len(pieces) != 3 or not all(pieces):
        raise wording.bad_value(name, "expected type system|type code|value", "应为 类型系统|类型代码|值")
    return TokenValue(bounded(f"{pieces[0]}|{pieces[1]}"), bounded(pieces[2]))


def _composite(parameter: SearchParameter, name: str, pieces: list[str], reading: Reading) -> Condition:
    """Each value is `first$second`; the first part names the rows that the second is looked up in."""
    first, second = (part.parameter for part in parameter.parts)
    family: Family = parameter.family
    clauses: list[Condition] = []
    for piece in pieces:
        sides = values.split(piece, "$")
        if len(sides) != 2 or not all(sides):
            raise wording.bad_value(name, f"expected {first.code}${second.code}", f"应为 {first.code}${second.code}")
        code = values.token(sides[0], name, first.system)
        if code.code is None:
            raise wording.bad_value(name, "the first part needs a code", "第一部分需要代码")
        found = tuple(_values(second, "", name, sides[1], reading))
        keys = tuple(row_name(key, code) for key in parameter.keys)
        clauses.append(Clause(parameter, family, keys, "", found))
    return clauses[0] if len(clauses) == 1 else AnyOf(tuple(clauses))
