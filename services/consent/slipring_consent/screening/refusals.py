"""The words in which an answered questionnaire is refused, one issue for each fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slipring.fhir.outcome import Issue

from slipring_consent.screening.conformance import Fault

_WORDS: Mapping[str, Callable[[Fault], Issue]] = {
    "unknown": lambda fault: Issue(
        "code-invalid",
        zh="问卷中没有这个问题。",
        en="The questionnaire has no such question.",
        at=fault.at,
        detail="consent.question-unknown",
    ),
    "twice": lambda fault: Issue(
        "invalid",
        zh=f"问题 {fault.link} 出现了两次。",
        en=f"The question {fault.link} is there twice.",
        at=fault.at,
        detail="consent.question-twice",
    ),
    "missing": lambda fault: Issue(
        "required",
        zh=f"问题 {fault.link} 必须回答；“不清楚”也是回答。",
        en=f'The question {fault.link} has to be answered; "unknown" is an answer.',
        at=fault.at,
        detail="consent.answer-missing",
    ),
    "not-asked": lambda fault: Issue(
        "business-rule",
        zh=f"按其他回答，问题 {fault.link} 不应作答。",
        en=f"By the other answers the question {fault.link} is not asked.",
        at=fault.at,
        detail="consent.answer-not-asked",
    ),
    "many": lambda fault: Issue(
        "invalid",
        zh=f"问题 {fault.link} 只能有一个回答。",
        en=f"The question {fault.link} takes one answer.",
        at=fault.at,
        detail="consent.answer-many",
    ),
    "type": lambda fault: Issue(
        "value",
        zh=f"问题 {fault.link} 的回答类型不对。",
        en=f"The answer to {fault.link} is of another type than the question.",
        at=fault.at,
        detail="consent.answer-type",
    ),
    "option": lambda fault: Issue(
        "code-invalid",
        zh=f"问题 {fault.link} 的回答不在选项之中（编码系统与编码须相同）。",
        en=f"The answer to {fault.link} is none of its options (by system and code).",
        at=fault.at,
        detail="consent.answer-option",
    ),
    "too-long": lambda fault: Issue(
        "too-long",
        zh=f"问题 {fault.link} 的回答过长。",
        en=f"The answer to {fault.link} is too long.",
        at=fault.at,
        detail="consent.answer-too-long",
    ),
}


def as_issue(fault: Fault) -> Issue:
    """One fault as an issue that points at its element."""
    return _WORDS[fault.what](fault)


def version_unknown() -> Issue:
    """The response names a version of the form that is not known here, so its answers cannot be read."""
    return Issue(
        "not-found",
        zh="此处没有该版本的问卷，无法判读回答。",
        en="This version of the questionnaire is not known here: its answers cannot be read.",
        at="QuestionnaireResponse.questionnaire",
        detail="consent.questionnaire-version",
    )
