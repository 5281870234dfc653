"""`_include` and `_revinclude`: which references of what was found are followed, and which lead to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from slipring.fhir.search import wording
from slipring.fhir.search.parameter import SearchParameter, parameters_for

# The name of the parameter: whether references are followed backwards, and whether included resources count too.
INCLUDES = {
    "_include": (False, False),
    "_include:iterate": (False, True),
    "_include:recurse": (False, True),  # as earlier releases of FHIR spell it
    "_revinclude": (True, False),
    "_revinclude:iterate": (True, True),
    "_revinclude:recurse": (True, True),
}
_FORM = "Type:parameter or Type:parameter:Target"


@dataclass(frozen=True, slots=True)
class Include:
    """References of `source` resources by `code` (`*`: by any parameter) to `target` ('' = to any type)."""

    reverse: bool
    iterate: bool
    source: str  # '' = of every type, for `_revinclude=*`
    code: str
    target: str = ""

    def parameters(self, kept: Iterable[str]) -> list[SearchParameter]:
        """The reference parameters it follows."""
        sources = [self.source] if self.source else sorted(kept)
        known = (parameter for source in sources for parameter in references_of(source))
        return [parameter for parameter in known if self.code in ("*", parameter.code)]

    def given(self, kept: Collection[str]) -> frozenset[str]:
        """The kept types whose resources it may add to the answer."""
        if self.reverse:
            return frozenset([self.source] if self.source else kept)
        if self.target:
            return frozenset([self.target])
        named = (set(parameter.targets or kept) for parameter in self.parameters(kept))
        return frozenset(set().union(*named) & set(kept))


def references_of(resource_type: str) -> list[SearchParameter]:
    """The parameters of a type that lead to other resources."""
    return [parameter for parameter in parameters_for(resource_type).values() if parameter.type == "reference"]


def include(resource_type: str, name: str, text: str) -> Include:
    """Read one `_include` or `_revinclude` of a search on a type; 400 naming the valid ones for anything else."""
    reverse, iterate = INCLUDES[name]
    if text == "*":
        return Include(reverse, iterate, "" if reverse else resource_type, "*")
    source, _, rest = text.partition(":")
    code, _, target = rest.partition(":")
    if not source or not code:
        raise wording.bad_value(name, f"expected {_FORM}", f"应为 {_FORM}")
    if not reverse and not iterate and source != resource_type:
        raise wording.bad_value(
            name,
            f"it starts at {resource_type}, or takes :iterate",
            f"须从 {resource_type} 开始，或使用 :iterate",
        )
    known = references_of(source)
    found = [parameter for parameter in known if code in ("*", parameter.code)]
    meant = target or (resource_type if reverse and not iterate else "")
    fitting = [one for one in found if not meant or not one.targets or meant in one.targets]
    if not fitting or (reverse and target and not iterate and target != resource_type):
        ends = resource_type if reverse else ""
        raise wording.unknown_include(name, (f"{source}:{one.code}" for one in known if _leads(one, ends)))
    return Include(reverse, iterate, source, code, target)


def _leads(parameter: SearchParameter, target: str) -> bool:
    return not target or not parameter.targets or target in parameter.targets
