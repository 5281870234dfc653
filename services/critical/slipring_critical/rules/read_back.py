"""Read-back: the receiver says which exam and which finding, and both must fit before the case is his."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import Rule, rule

TAIL_LENGTH = 4  # the last four characters of the imaging number (mechanisms 8)


@dataclass(frozen=True, slots=True)
class ReadBackFacts:
    """What was said against what is so."""

    imaging_number: str = ""
    number_said: str = ""
    finding: str = ""
    finding_said: str = ""


@rule("critical.read-back-number", clause="CL02-A011:5.9.1", weight=Weight.STOP)
def says_the_imaging_number(said: ReadBackFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """The receiver reads back the last four characters of the imaging number."""
    tail = said.imaging_number[-TAIL_LENGTH:]
    if len(tail) == TAIL_LENGTH and said.number_said.strip().upper() == tail.upper():
        return None
    # The inputs stay out: a refusal must not give away what should have been said.
    return Hit(
        zh="复述的影像号末四位不符，请重新核对患者。",
        en="The last four characters of the imaging number do not fit; please check the patient again.",
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


READ_BACK_RULES: tuple[Rule[ReadBackFacts], ...] = (says_the_imaging_number, says_the_finding)
