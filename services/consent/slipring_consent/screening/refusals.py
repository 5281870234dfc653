"""The words in which an answered questionnaire is refused, one issue for each fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from slipring.fhir.outcome import Issue

from slipring_consent.screening.conformance import Fault


def _issue(at: str, code: str, zh: str, en: str, detail: str) -> Issue:
    return Issue(code, zh=zh, en=en, at=at, detail=detail)


_WORDS: Mapping[str, Callable[[Fault], Issue]] = {
    "unknown": lambda fault: _issue(
        fault.at, "code-invalid", "问卷中没有这个问题。", "The questionnaire has no such question.", "consent.question-unknown"
    ),
    "twice": lambda fault: _issue(
        fault.at, "invalid", f"问题 {fault.link} 出现了两次。", f"The question {fault.link} is there twice.", "consent.question-twice"
    ),
    "missing": lambda fault: _issue(
        fault.at, "required", f"问题 {fault.link} 必须回答；“不清楚”也是回答。",
        f'The question {fault.link} has to be answered; "unknown" is an answer.', "consent.answer-missing",
    ),
    "not-asked": lambda fault: _issue(
        fault.at, "business-rule", f"按其他回答，问题 {fault.link} 不应作答。",
        f"By the other answers the question {fault.link} is not asked.", "consent.answer-not-asked",
    ),
    "many": lambda fault: _issue(
        fault.at, "invalid", f"问题 {fault.link} 只能有一个回答。", f"The question {fault.link} takes one answer.", "consent.answer-many"
    ),
    "type": lambda fault: _issue(
        fault.at, "value", f"问题 {fault.link} 的回答类型不对。",
        f"The answer to {fault.link} is of another type than the question.", "consent.answer-type",
    ),
    "option": lambda fault: _issue(
        fault.at, "code-invalid", f"问题 {fault.link} 的回答不在选项之中（编码系统与编码须相同）。",
        f"The answer to {fault.link} is none of its options (by system and code).", "consent.answer-option",
    ),
    "too-long": lambda fault: _issue(
        fault.at, "too-long", f"问题 {fault.link} 的回答过长。", f"The answer to {fault.link} is too long.", "consent.answer-too-long"
    ),
}  # fmt: skip


def as_issue(fault: Fault) -> Issue:
    """One fault as an issue that points at its element."""
    return _WORDS[fault.what](fault)


def version_unknown() -> Issue:
    """The response names a version of the form that is not known here, so its answers cannot be read."""
    return _issue(
        "QuestionnaireResponse.questionnaire", "not-found", "此处没有该版本的问卷，无法判读回答。",
        "This version of the questionnaire is not known here: its answers cannot be read.", "consent.questionnaire-version",
    )  # fmt: skip
