"""The questionnaire of one exam with what stands in it: kept, or proposed with what the records already say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipring.bedside.answers import Filled, as_form
from slipring.bedside.questions import Question, key_of, questions_of, value_sets
from slipring.bedside.standing import ANSWERED, ContrastExam
from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import not_found

WHO = ("patient", "relative", "staff")  # who answers


@dataclass(frozen=True, slots=True)
class Sheet:
    """Questions, and the response that stands: the kept one, else what is proposed."""

    questionnaire: Tree
    questions: Sequence[Question]
    response: Tree

    @property
    def kept(self) -> bool:
        """Whether anything was saved before."""
        return "id" in self.response

    @property
    def answered(self) -> bool:
        """Whether it was completed before."""
        return self.kept and self.response.get("status") in ANSWERED

    @property
    def seen(self) -> str:
        """What a form is made from."""
        return str(self.response.get("meta", {}).get("versionId", "")) if self.kept else "new"

    @property
    def title(self) -> Pair:
        """What the questionnaire is called."""
        return names.text_words(self.questionnaire, "title")

    @property
    def who(self) -> str:
        """Who answered, as far as it is said; the patient himself unless somebody else did."""
        source = names.reference_in(self.response.get("source"))
        return "staff" if source.startswith("Practitioner") else "patient" if source or not self.kept else "relative"

    @property
    def form(self) -> Mapping[str, str]:
        """The response as the form shows it."""
        return as_form(self.questions, self.response.get("item", []))


async def sheet_of(hand: Hand, one: ContrastExam) -> Sheet:
    """The questionnaire that the screening Task asks, with the newest answers, else filled in as far as it is known."""
    task = one.screening or {}
    asked = (str(entry["valueCanonical"]) for entry in task.get("input", []) if entry.get("valueCanonical"))
    kept = one.response
    url, _, version = str((kept or {}).get("questionnaire") or next(asked, "")).partition("|")
    found = await hand.found("Questionnaire", [("url", url), *([("version", version)] if version else [])])
    if not found:
        raise not_found("Questionnaire")
    questionnaire = found[0]
    sets = sorted(value_sets(questionnaire.get("item", [])))
    expansions = await asyncio.gather(*(_choices(hand, questionnaire, url) for url in sets))
    questions = questions_of(questionnaire.get("item", []), dict(zip(sets, expansions, strict=True)))
    return Sheet(questionnaire, questions, kept or await _proposed(hand, questionnaire, one))


def response_of(
    sheet: Sheet, one: ContrastExam, told: Filled, *, status: str, authored: str, author: str, who: str
) -> Tree:
    """The response to keep; an answer that stands as it was keeps what was said of where it came from."""
    patient = {"reference": names.reference_in(one.exam.task.get("for"))}
    questionnaire = sheet.questionnaire
    items = _as_before(told.items, sheet.response.get("item", []))
    return {
        **{name: value for name, value in sheet.response.items() if name not in ("source", "item")},
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "|".join(filter(None, (str(questionnaire["url"]), str(questionnaire.get("version", ""))))),
        "status": status,
        "basedOn": [{"reference": f"ServiceRequest/{one.exam.id}"}],
        "subject": patient,
        "authored": authored,
        "author": {"reference": author},
        **({"source": patient} if who == "patient" else {"source": {"reference": author}} if who == "staff" else {}),
        **({"item": items} if items else {}),
    }


def _as_before(items: Sequence[Tree], before: Sequence[Tree]) -> list[Tree]:
    """The items, each with the extensions of the answer that it repeats."""
    found: list[Tree] = []
    for item in items:
        same = [one for one in before if one.get("linkId") == item["linkId"]]
        held: list[Tree] = [answer for one in same for answer in one.get("answer", [])]
        below = [each for one in same for each in one.get("item", [])]
        answers = {"answer": [_like(one, held) for one in item["answer"]]} if "answer" in item else {}
        nested = {"item": _as_before(item["item"], below)} if "item" in item else {}
        found.append({**item, **answers, **nested})
    return found


def _like(answer: Tree, held: Sequence[Tree]) -> Tree:
    """An answer with what an equal one carried beside its value, and its own nested items so too."""
    old: Tree = next((one for one in held if key_of(one) == key_of(answer)), {})
    extra = {"extension": old["extension"]} if old.get("extension") else {}
    nested = {"item": _as_before(answer["item"], old.get("item", []))} if "item" in answer else {}
    return {**extra, **answer, **nested}


async def _proposed(hand: Hand, questionnaire: Tree, one: ContrastExam) -> Tree:
    """What `Questionnaire/$populate` fills in from records; nothing where the person's roles do not open it."""
    canonical = "|".join(filter(None, (str(questionnaire["url"]), str(questionnaire.get("version", "")))))
    asked: list[Tree] = [
        {"name": "canonical", "valueCanonical": canonical},
        {"name": "subject", "valueReference": {"reference": names.reference_in(one.exam.task.get("for"))}},
        {"name": "context", "valueReference": {"reference": f"ServiceRequest/{one.exam.id}"}},
    ]
    parts = await hand.called_if_allowed("Questionnaire/$populate", asked) or []
    return next((part["resource"] for part in parts if part["name"] == "response"), {})


async def _choices(hand: Hand, questionnaire: Tree, url: str) -> list[Tree]:
    """The codings of a value set: contained, or as the services expand it."""
    if url.startswith("#"):
        held: Tree = next((one for one in questionnaire.get("contained", []) if one.get("id") == url[1:]), {})
        return [
            {"system": part.get("system"), **concept}
            for part in held.get("compose", {}).get("include", [])
            for concept in part.get("concept", [])
        ]
    answer = await hand.called("ValueSet/$expand", [{"name": "url", "valueUri": url.partition("|")[0]}])
    return list(answer.get("expansion", {}).get("contains", []))
