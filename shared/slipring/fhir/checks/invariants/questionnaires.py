"""Invariants of Questionnaire and QuestionnaireResponse."""

from __future__ import annotations

from collections.abc import Iterator

from slipring.fhir.checks.invariants.invariant import Node, given, invariant

_WITH_ANSWERS = {"choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity"}
_WITH_LENGTH = {"boolean", "decimal", "integer", "string", "text", "url", "open-choice"}


@invariant("que-1", "QuestionnaireItem")
def groups_nest_and_displays_do_not(item: Node) -> bool:
    """A group has items, a display none."""
    kind = item.get("type")
    return not (kind == "group" and "item" not in item) and not (kind == "display" and "item" in item)


@invariant("que-2", "Questionnaire")
def link_ids_are_unique(questionnaire: Node) -> bool | str:
    """In the whole questionnaire."""
    seen: set[str] = set()
    for place, link_id in _link_ids(questionnaire, ""):
        if link_id in seen:
            return f"{place}.linkId"
        seen.add(link_id)
    return True


def _link_ids(node: Node, place: str) -> Iterator[tuple[str, str]]:
    for position, item in enumerate(node.get("item", ())):
        where = f"{place}.item[{position}]"
        if "linkId" in item:
            yield where, item["linkId"]
        yield from _link_ids(item, where)


@invariant("que-3", "QuestionnaireItem")
def displays_have_no_code(item: Node) -> bool:
    """There is nothing to answer."""
    return item.get("type") != "display" or "code" not in item


@invariant("que-4", "QuestionnaireItem")
def answers_are_listed_once(item: Node) -> bool:
    """By options or by a value set."""
    return "answerOption" not in item or not given(item, "answerValueSet")


@invariant("que-5", "QuestionnaireItem")
def only_choices_list_answers(item: Node) -> bool:
    """By the type of the question."""
    return item.get("type") in _WITH_ANSWERS or not ("answerOption" in item or given(item, "answerValueSet"))


@invariant("que-6", "QuestionnaireItem")
def displays_are_not_required_nor_repeated(item: Node) -> bool:
    """There is nothing to answer."""
    return item.get("type") != "display" or not (given(item, "required") or given(item, "repeats"))


@invariant("que-7", "QuestionnaireItemEnableWhen")
def existence_is_true_or_false(condition: Node) -> bool:
    """The operator `exists` compares with a boolean."""
    return condition.get("operator") != "exists" or given(condition, "answerBoolean")


@invariant("que-8", "QuestionnaireItem")
def groups_and_displays_have_no_initial_value(item: Node) -> bool:
    """There is nothing to answer."""
    return item.get("type") not in ("group", "display") or "initial" not in item


@invariant("que-9", "QuestionnaireItem")
def displays_are_not_read_only(item: Node) -> bool:
    """There is nothing to answer."""
    return item.get("type") != "display" or not given(item, "readOnly")


@invariant("que-10", "QuestionnaireItem")
def only_simple_questions_have_a_length(item: Node) -> bool:
    """By the type of the question."""
    return item.get("type") in _WITH_LENGTH or not given(item, "maxLength")


@invariant("que-11", "QuestionnaireItem")
def options_say_which_is_initial_themselves(item: Node) -> bool:
    """By initialSelected."""
    return not ("answerOption" in item and "initial" in item)


@invariant("que-12", "QuestionnaireItem")
def several_conditions_say_how_they_join(item: Node) -> bool:
    """The expression asks it of more than two."""
    return len(item.get("enableWhen", ())) <= 2 or given(item, "enableBehavior")


@invariant("que-13", "QuestionnaireItem")
def only_repeating_items_have_several_initial_values(item: Node) -> bool:
    """One otherwise."""
    return item.get("repeats") is True or len(item.get("initial", ())) <= 1


@invariant("qrs-1", "QuestionnaireResponseItem")
def items_nest_below_answers_or_below_the_item(item: Node) -> bool:
    """Not both."""
    return not ("answer" in item and "item" in item)
