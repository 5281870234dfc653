"""Composites: values that must stand in the same element, found as rows of the second part.

The first part is always a code. It is written into the name of the row (`Observation.code-value-quantity$8480-6`), once
with its system and once without, so that the second part is compared and indexed like any other value of its family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from slipring.fhir.search.emit import Emit, emitter_of
from slipring.fhir.search.fold import bounded
from slipring.fhir.search.parameter import Part, Path, SearchParameter
from slipring.fhir.search.row import Rows
from slipring.fhir.search.values import TokenValue

# Builds what walks one path from an element and emits at its end; the index hands it in.
Walker = Callable[[Path, Emit], Emit]


def row_name(key: str, code: TokenValue) -> str:
    """Under which name the second parts stand that go with this code."""
    return f"{key}${bounded(code.code or '' if code.system is None else f'{code.system}|{code.code}')}"


def composite_emitter(parameter: SearchParameter, walker: Walker) -> Emit:
    """The function that turns an element that holds both parts into rows."""
    leads = _part_emitters(parameter.parts[0], walker)
    values = _part_emitters(parameter.parts[1], walker)
    key, family = parameter.key, parameter.family

    def paired(value: Any, found: Rows, zone: tzinfo) -> None:
        if not isinstance(value, Mapping):
            return
        first, second = Rows(), Rows()
        for emit in values:
            emit(value, second, zone)
        if not second.families[family]:
            return
        for emit in leads:
            emit(value, first, zone)
        for token in first.tokens:
            if token.parameter == "":
                for system in (None, token.system):
                    name = row_name(key, TokenValue(system, token.code))
                    found.families[family].extend(
                        row._replace(parameter=name) for row in second.families[family] if row.parameter == ""
                    )

    return paired


def _part_emitters(part: Part, walker: Walker) -> list[Emit]:
    return [walker(path, emitter_of(part.parameter, path.kind, "")) for path in part.paths]
