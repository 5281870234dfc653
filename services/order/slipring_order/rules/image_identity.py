"""Images carry the identity of the patient the exam was ordered for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.images.facts import ImageFacts

_COMPARED_SEXES = frozenset({"male", "female"})
_NAMES = {
    "patient": ("患者", "patient"),
    "number": ("患者编号", "patient number"),
    "name": ("姓名", "name"),
    "birth-date": ("出生日期", "birth date"),
    "sex": ("性别", "sex"),
}


@rule("order.image-identity", clause="CL02-A011:5.6.2.3", weight="stop", domain="image-mismatch")
def shows_the_ordered_patient(facts: ImageFacts, limits: Limits, now: datetime) -> Hit | None:
    """Number, name, birth date and sex in the images are those of the patient of the request.

    What one side does not say is not compared; a name in Han characters is not compared with one in Latin letters.
    """
    differs = list(_differing(facts))
    if not differs:
        return None
    zh = "、".join(_NAMES[each][0] for each in differs)
    en = ", ".join(_NAMES[each][1] for each in differs)
    return Hit(
        f"图像中的患者信息与申请不一致：{zh}。",
        f"The images name another patient than the request: {en} differ.",
        at=facts.at,
        inputs={"differs": differs},
    )


def _differing(facts: ImageFacts) -> Iterator[str]:
    image, order = facts.image.identity, facts.identity
    if facts.other_patient:
        yield "patient"
    if image.numbers and order.numbers and not image.numbers & order.numbers:
        yield "number"
    # One common form is enough: people have names in several spellings.
    pairs = [(image.han_names, order.han_names), (image.latin_names, order.latin_names)]
    compared = [bool(ours & theirs) for ours, theirs in pairs if ours and theirs]
    if compared and not any(compared):
        yield "name"
    if image.birth_date and order.birth_date and not _same_day(image.birth_date, order.birth_date):
        yield "birth-date"
    if {image.sex, order.sex} == _COMPARED_SEXES:
        yield "sex"


def _same_day(one: str, other: str) -> bool:
    """A partial date agrees with every day in it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
