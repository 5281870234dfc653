"""The exact text for one exam: words filled in with who, what and how much. Pure, and the same facts give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from slipring_consent.consenting.wording import Section, Wording


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What the text says of one exam; an empty text is shown as not recorded."""

    patient: str
    identifiers: tuple[str, ...]
    birth_date: str
    gender: str
    exam: str
    region: str
    number: str  # the imaging number
    agent: str
    dose: str  # value and unit, as a person reads them
    route: str
    observation_minutes: int
    validity_hours: int
    answers: tuple[tuple[str, str], ...] = ()  # what was asked in screening, and what was answered


def filled(words: Wording, facts: TextFacts) -> bytes:
    """The text as an HTML document of its own, everything escaped, without script or style."""
    page = _environment().get_template("consent_text.html")
    sections = [_section(section, facts) for section in words.sections]
    shown = page.render(words=words, about=list(_about(words, facts)), sections=sections, answers=facts.answers)
    return shown.encode()


def _about(words: Wording, facts: TextFacts) -> Iterator[tuple[str, str]]:
    yield "patient", facts.patient or words.absent
    yield "identifiers", words.separator.join(facts.identifiers) or words.absent
    yield "birth_date", facts.birth_date or words.absent
    yield "gender", words.genders.get(facts.gender, words.genders["unknown"])
    yield "exam", facts.exam or words.absent
    yield "region", facts.region or words.absent
    yield "number", facts.number or words.absent
    yield "agent", facts.agent
    yield "dose", facts.dose
    yield "route", facts.route


def _section(section: Section, facts: TextFacts) -> Section:
    return replace(
        section,
        paragraphs=tuple(_put(text, facts) for text in section.paragraphs),
        listed=tuple(_put(text, facts) for text in section.listed),
    )


def _put(text: str, facts: TextFacts) -> str:
    return text.format(
        agent=facts.agent,
        dose=facts.dose,
        route=facts.route,
        observation=facts.observation_minutes,
        validity=facts.validity_hours,
    )


@cache
def _environment() -> Environment:
    loader = PackageLoader("slipring_consent", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
