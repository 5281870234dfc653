"""Where an address becomes a value set or code system: the standard ones and those the services declare.

Services hand in their code systems when they are opened (`declare`); the ring itself knows none of them. For each code
system there is a value set with all of its codes, `.../CodeSystem/exam-state` -> `.../ValueSet/exam-state`.
Vocabulary is the same for every service of a process, so one registry holds it.
"""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.terminology.concept import CodeSystem, ValueSet
from slipring.fhir.terminology.standard import standard_code_systems, standard_value_sets

_declared_systems: dict[str, CodeSystem] = {}
_declared_sets: dict[str, ValueSet] = {}


def declare(systems: Iterable[CodeSystem] = (), sets: Iterable[ValueSet] = ()) -> None:
    """Make code systems and value sets known; telling the same ones again changes nothing."""
    for system in systems:
        held = _declared_systems.get(system.url)
        _declared_systems[system.url] = held.together_with(system) if held else system
        whole = all_of(_declared_systems[system.url])
        _declared_sets[whole.url] = whole
    _declared_sets.update({one.url: one for one in sets})


def all_of(system: CodeSystem) -> ValueSet:
    """The value set that holds every code of a system."""
    url = system.url.replace("/CodeSystem/", "/ValueSet/")
    whole = frozenset({system.url})
    return ValueSet(url, system.name, system.title, system.concepts, system.zh, system.version, whole)


def value_set(url: str) -> ValueSet | None:
    """The value set at an address (`url` or `url|version`), or None when it is not shipped."""
    address, _, version = url.partition("|")
    found = _declared_sets.get(address) or standard_value_sets().get(address)
    return None if found and version and version != found.version else found


def code_system(url: str) -> CodeSystem | None:
    """The code system at an address (`url` or `url|version`), or None when it is not shipped."""
    address, _, version = url.partition("|")
    found = _declared_systems.get(address) or standard_code_systems().get(address)
    return None if found and version and version != found.version else found


def value_set_urls() -> tuple[str, ...]:
    """The addresses of all value sets that are shipped, sorted."""
    return tuple(sorted({*_declared_sets, *standard_value_sets()}))


def value_sets() -> tuple[ValueSet, ...]:
    """All value sets that are shipped, by address."""
    return tuple(found for url in value_set_urls() if (found := value_set(url)))


def code_systems() -> tuple[CodeSystem, ...]:
    """All code systems that are shipped, by address."""
    known = {**standard_code_systems(), **_declared_systems}
    return tuple(known[url] for url in sorted(known))
