"""Where an answer came from that was filled in from records, by field of the form. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.bedside.answers import place_of
from slipring.bedside.questions import Question
from slipring.department import names
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

PREFILLED_FROM = f"{CANONICAL}/StructureDefinition/prefilled-from"


def origins(questions: Sequence[Question], items: Sequence[Tree], parent: str = "") -> dict[str, list[str]]:
    """The kinds of record (`AllergyIntolerance` ...) that each prefilled field rests on."""
    found: dict[str, list[str]] = {}
    for one in questions:
        for number, item in enumerate(each for each in items if each.get("linkId") == one.link):
            place = place_of(one, parent)
            own = f"{place}#{number}" if one.type == "group" and one.repeats else place
            answers = item.get("answer", [])
            if kinds := [kind for answer in answers for kind in _kinds(answer)]:
                found[f"q{own}"] = list(dict.fromkeys(kinds))
            nested = [*item.get("item", []), *(below for a in answers for below in a.get("item", []))]
            found |= origins(one.items, nested, own)
    return found


def _kinds(answer: Tree) -> list[str]:
    return [
        names.reference_in(one.get("valueReference")).partition("/")[0]
        for one in answer.get("extension", [])
        if one.get("url") == PREFILLED_FROM
    ]
