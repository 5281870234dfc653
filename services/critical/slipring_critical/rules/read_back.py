"""Read-back: the receiver says which exam (of a case without one: which patient) and which finding; both must fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import Rule, rule

TAIL_LENGTH = 4  # the last four characters of the number (mechanisms 8)


@dataclass(frozen=True, slots=True)
class ReadBackFacts:
    """What was said against what is so."""

    imaging_number: str = ""
    number_said: str = ""
    finding: str = ""
    finding_said: str = ""
    other_numbers: tuple[str, ...] = ()  # of a case that belongs to no exam: any of them proves whom it is about


@rule("critical.read-back-number", clause="CL02-A011:5.9.1", weight=Weight.STOP)
def says_the_imaging_number(said: ReadBackFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """The receiver reads back the last four characters of the imaging number."""
    if said.other_numbers or _ends(said.imaging_number, said.number_said):
        return None
    # The inputs stay out: a refusal must not give away what should have been said.
    return Hit(
        zh="复述的影像号末四位不符，请重新核对患者。",
        en="The last four characters of the imaging number do not fit; please check the patient again.",
        at="Parameters.parameter.where(name='patientCheck')",
    )


@rule("critical.read-back-patient", clause="CL02-A011:5.9.1", weight=Weight.STOP)
def says_the_patients_number(said: ReadBackFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """Of a case that belongs to no exam the receiver reads back the end of the patient's hospital number."""
    if not said.other_numbers or any(_ends(number, said.number_said) for number in said.other_numbers):
        return None
    return Hit(
        zh="本例无检查信息，复述的患者住院号/病案号（或不良反应记录号）末四位不符，请重新核对患者。",
        en="This case belongs to no exam, and the last four characters of the patient's hospital number "
        "(or, of a patient without one, of the number of the reaction) do not fit; please check the patient again.",
        at="Parameters.parameter.where(name='patientCheck')",
    )


@rule("critical.read-back-finding", clause="CL02-A011:5.9.1", weight=Weight.STOP)
def says_the_finding(said: ReadBackFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """The receiver reads back the finding he was told."""
    if said.finding and said.finding_said.strip() == said.finding:
        return None
    return Hit(
        zh="复述的危急值与通知内容不符，请重新核对。",
        en="The finding that was read back is not the one that was told; please check again.",
        at="Parameters.parameter.where(name='finding')",
    )


def _ends(number: str, said: str) -> bool:
    tail = number[-TAIL_LENGTH:]
    return len(tail) == TAIL_LENGTH and said.strip().upper() == tail.upper()


READ_BACK_RULES: tuple[Rule[ReadBackFacts], ...] = (
    says_the_imaging_number,
    says_the_patients_number,
    says_the_finding,
)
