"""Which part of a search one keeper cannot answer alone: chains, _has and includes that lead to other services. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slipring.fhir.search import wording
from slipring.fhir.search.criteria import CONTROLS
from slipring.fhir.search.parameter import SearchParameter, parameters_for
from slipring.front.owners import Owners

Pairs = list[tuple[str, str]]
INCLUDES = {
    "_include": (False, False),
    "_include:iterate": (False, True),
    "_include:recurse": (False, True),
    "_revinclude": (True, False),
    "_revinclude:iterate": (True, True),
    "_revinclude:recurse": (True, True),
}


@dataclass(frozen=True, slots=True)
class Chain:
    """`code.rest`: resources whose reference `code` leads to one of these types that meets `rest`."""

    code: str
    types: tuple[str, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:type:by:rest`: resources that one of the type, meeting `rest`, refers to in `by`."""

    type: str
    by: str
    rest: str


@dataclass(frozen=True, slots=True)
class Include:
    """One `_include` or `_revinclude`; `code` may be `*`, `target` '' for any type."""

    name: str
    reverse: bool
    iterate: bool
    source: str
    code: str
    target: str


def step_of(resource_type: str, name: str, owners: Owners) -> Chain | Has | None:
    """What leads away from the type in a parameter's name; None for a plain one, and for what only a keeper can refuse."""
    if name.startswith("_has:"):
        return _has(name, owners)
    head, dot, rest = name.partition(".")
    code, _, wanted = head.partition(":")
    parameter = parameters_for(resource_type).get(code)
    if not dot or parameter is None or parameter.type != "reference":
        return None
    targets = (wanted,) if wanted else parameter.targets
    if not targets or (wanted and parameter.targets and wanted not in parameter.targets):
        raise wording.unknown_modifier(code, wanted, parameter.targets)
    types = tuple(target for target in targets if owners.keepers_of(target) and _knows(target, rest))
    if not types:
        raise wording.unknown_parameter(targets[0], rest, (*parameters_for(targets[0]), *CONTROLS))
    return Chain(code, types, rest)


def _has(name: str, owners: Owners) -> Has | None:
    pieces = name.split(":", 3)
    if len(pieces) < 4 or not owners.keepers_of(pieces[1]):
        return None
    _, source, by, rest = pieces
    known = parameters_for(source)
    if by not in known or known[by].type != "reference":
        raise wording.unknown_parameter(source, by, _references(source))
    if not _knows(source, rest):
        raise wording.unknown_parameter(source, rest, (*known, *CONTROLS))
    return Has(source, by, rest)


def _knows(resource_type: str, rest: str) -> bool:
    code = rest.partition(".")[0].partition(":")[0]
    return code == "_has" or code in parameters_for(resource_type)


def types_touched(resource_type: str, name: str, owners: Owners) -> Iterator[str]:
    """Every type that answering this parameter has to look at, besides the one searched for."""
    match step_of(resource_type, name, owners):
        case Chain(types=types, rest=rest):
            for target in types:
                yield target
                yield from types_touched(target, rest, owners)
        case Has(type=source, rest=rest):
            yield source
            yield from types_touched(source, rest, owners)


def leaves(resource_type: str, name: str, owners: Owners) -> bool:
    """Whether this parameter of a search cannot be answered by the type's keeper alone."""
    if name.count(".") == 0 and not name.startswith("_has:"):
        return False
    keepers = owners.keepers_of(resource_type)
    return any(
        len(keepers) > 1 or owners.keepers_of(touched) != keepers
        for touched in types_touched(resource_type, name, owners)
    )


def includes_in(resource_type: str, pairs: Pairs, owners: Owners) -> list[Include]:
    """The includes of a search, checked: an unknown type or parameter is 400 that lists the valid ones."""
    return [_include(resource_type, name, text, owners) for name, text in pairs if name in INCLUDES]


def _include(resource_type: str, name: str, text: str, owners: Owners) -> Include:
    reverse, iterate = INCLUDES[name]
    source, _, rest = text.partition(":")
    code, _, target = rest.partition(":")
    if text == "*" and not reverse:
        return Include(name, reverse, iterate, resource_type, "*", "")
    if not owners.keepers_of(source):
        raise wording.bad_value(
            name,
            "expected Type:parameter or Type:parameter:Target with a kept Type",
            "应为 类型:参数 或 类型:参数:目标类型",
        )
    if not reverse and not iterate and source != resource_type:
        raise wording.bad_value(
            name, f"expected {resource_type}:parameter, or :iterate", f"应为 {resource_type}:参数，或使用 :iterate"
        )
    known = parameters_for(source)
    if code != "*" and (code not in known or known[code].type != "reference"):
        raise wording.unknown_parameter(source, code, _references(source))
    if code != "*" and not _may_name(known[code], target or (resource_type if reverse and not iterate else "")):
        raise wording.bad_value(
            name,
            f"{source}.{code} names {', '.join(known[code].targets)}",
            f"{source}.{code} 指向 {'、'.join(known[code].targets)}",
        )
    return Include(name, reverse, iterate, source, code, target)


def _may_name(parameter: SearchParameter, target: str) -> bool:
    return not target or not parameter.targets or target in parameter.targets


def _references(resource_type: str) -> list[str]:
    return [code for code, parameter in parameters_for(resource_type).items() if parameter.type == "reference"]


def codes_of(include: Include) -> list[str]:
    """The reference parameters that an include follows."""
    return _references(include.source) if include.code == "*" else [include.code]


def include_leaves(resource_type: str, include: Include, owners: Owners) -> bool:
    """Whether an include has to look beyond the keeper of the type."""
    keepers = owners.keepers_of(resource_type)
    targets = {include.source}
    for code in codes_of(include):
        named = parameters_for(include.source)[code].targets
        # What may name any type may name one that lies elsewhere.
        targets |= {include.target} if include.target else set(named or owners.types)
    return any(owners.keepers_of(target) not in ((), keepers) for target in targets)


def crosses(resource_type: str, pairs: Pairs, owners: Owners) -> bool:
    """Whether the front has to take part in a search on a type that one service keeps."""
    if not any(name in INCLUDES or "." in name or name.startswith("_has:") for name, _ in pairs):
        return False
    if any(leaves(resource_type, name, owners) for name, _ in pairs):
        return True
    return any(include_leaves(resource_type, include, owners) for include in includes_in(resource_type, pairs, owners))


def steps_in(name: str) -> int:
    """How many steps a parameter's name takes.

    >>> steps_in("subject.organization.name"), steps_in("_has:Observation:patient:_has:AuditEvent:entity:user"), steps_in("code")
    (2, 2, 0)
    """
    return name.count("_has:") + name.count(".")


__all__: Sequence[str] = [
    "Chain",
    "Has",
    "Include",
    "Pairs",
    "codes_of",
    "crosses",
    "includes_in",
    "leaves",
    "step_of",
    "steps_in",
]
