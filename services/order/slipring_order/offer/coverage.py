"""Which of the six systems the department's exams and scanners cover (CL02-A011 Annex B); pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.catalogue import SYSTEMS
from slipring_order.offer.defined import BODY_SYSTEM, OFFERED, exam_number, systems_in
from slipring_order.reading import codings, has_code

SCANNER_PROPERTY = f"{CANONICAL}/CodeSystem/scanner-property"
SCOPE = "scope"


@dataclass(frozen=True, slots=True)
class Covered:
    """One system: how many exams it is offered by, and which scanners in use are outside the scope for it."""

    system: str
    exams: int
    scanners_in_scope: tuple[str, ...]
    scanners_missing: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether it is offered and every scanner in use is in the scope: a system is accredited whole (Annex B)."""
        return bool(self.exams and self.scanners_in_scope) and not self.scanners_missing


def coverage(definitions: Iterable[Resource], scanners: Iterable[Resource]) -> list[Covered]:
    """Every system, offered or not, by the exams that are active and the scanners that are in use."""
    offered = [systems_in(one) for one in definitions if exam_number(one) and one.get("status") == OFFERED]
    scopes = {f"Device/{one['id']}": scope_of(one) for one in scanners if one.get("status", OFFERED) == OFFERED}
    return [
        Covered(
            system,
            sum(system in systems for systems in offered),
            tuple(sorted(name for name, scope in scopes.items() if system in scope)),
            tuple(sorted(name for name, scope in scopes.items() if system not in scope)),
        )
        for system in SYSTEMS
    ]


def scope_of(scanner: Resource) -> frozenset[str]:
    """The systems that a scanner is in the accreditation scope for, as its Device states."""
    return frozenset(
        str(coding["code"])
        for entry in scanner.get("property", [])
        if has_code(entry.get("type"), SCANNER_PROPERTY, SCOPE)
        for value in entry.get("valueCode", [])
        for coding in codings(value)
        if coding.get("system") == BODY_SYSTEM and coding.get("code") in SYSTEMS
    )
