"""A consent on paper: the text as it was shown, who explained and signed it, and what the service vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from slipring.consents.state import EXCEPTION, exam_of_consent, is_exception
from slipring.fhir.service import Desk, Resource, Stored
from slipring.printing.own_direction import aside, isolated, straight

from slipring_consent.consenting.document import TEXT_VERSION, attachment_of, bytes_of, sha256_of
from slipring_consent.consenting.facts import CAPACITY, EXPLAINED_BY, PAPER_REASON, REPRESENTATION, consent_facts
from slipring_consent.consenting.naming import called, coded, when
from slipring_consent.consenting.over import over
from slipring_consent.consenting.plain_html import plain_html
from slipring_consent.consenting.resources import PARTS
from slipring_consent.consenting.signature import SIGNATURE_KIND, kind_of
from slipring_consent.consenting.standing import Standing
from slipring_consent.consenting.statement import WITHDRAWAL, decision_of
from slipring_consent.consenting.text_facts import imaging_number, name_of, shown
from slipring_consent.department import settings_of
from slipring_consent.reading import extension_value, extensions, moment, reference_of


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record: what, and what is said of it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature on paper; `image` is a `data:` address, empty for one without strokes."""

    part: str
    who: str
    when: str
    kind: str
    image: str


@dataclass(frozen=True, slots=True)
class Paper:
    """All that one printed consent shows."""

    title: str
    person: tuple[Line, ...]  # on every page
    text: Markup
    attached: str  # of a text that cannot be shown here: what it is
    decision: str
    over: str  # why it does not count now, in large words; empty while it does
    lines: tuple[Line, ...]
    signatures: tuple[Signed, ...]
    words: str  # the verdict
    seals: tuple[Line, ...]
    made: str
    on_paper: bool
    demo: bool


async def paper(consent: Stored, found: Standing, words: str, desk: Desk) -> Paper:
    """Gather what is printed of one consent, as it stands now."""
    tree = consent.resource
    attachment = attachment_of(found.text.resource) if found.text else tree.get("sourceAttachment", {})
    content, kind = bytes_of(attachment) or b"", str(attachment.get("contentType", ""))
    text = plain_html(content, kind)
    return Paper(
        title=str(attachment.get("title") or "对比剂使用知情同意书 Consent to contrast"),
        person=tuple(await _person(tree, desk)),
        text=Markup(text),  # noqa: S704 - written anew from its words, everything escaped
        attached="" if text else kind,
        decision=_decision(tree),
        over=over(tree, desk.now, settings_of(desk).time_zone),
        lines=tuple(await _lines(tree, desk)),
        signatures=tuple([await _signed(one, part, desk) for one, part in _parts(found)]),
        words=words,
        seals=tuple(_seals(consent, found, attachment)),
        made=when(desk.now, desk),
        on_paper=found.verdict == "on-paper",
        demo=settings_of(desk).demo,
    )


def page(one: Paper, *, paged: bool = False) -> str:
    """The HTML page, with its print style; the person is repeated at the head of every page.

    A browser repeats the head of a table; `paged` is for a PDF, where it runs in the margin.
    """
    return _environment().get_template("consent_print.html").render(paper=one, paged=paged)


async def _person(consent: Resource, desk: Desk) -> list[Line]:
    stored = await desk.read(reference_of(consent.get("patient")))
    patient: Resource = stored.resource if stored else {}
    exam = await desk.read(exam_of_consent(consent)) if exam_of_consent(consent) else None
    return [
        Line("患者 Patient", name_of(patient) or "-"),
        Line(
            "标识号 Identifiers", " ".join(aside(one.get("value", "")) for one in patient.get("identifier", [])) or "-"
        ),
        Line("出生日期 Born", str(patient.get("birthDate", "-"))),
        Line("影像检查号 Imaging number", (imaging_number(exam.resource) if exam else "") or "-"),
    ]


def _decision(consent: Resource) -> str:
    if is_exception(consent):
        return "紧急例外：未取得同意，经批准使用对比剂 Emergency exception: contrast approved without consent"
    if decision_of(consent) == "deny":
        return "拒绝使用对比剂 Contrast is refused"
    return "同意使用对比剂 Consent to contrast is given"


async def _lines(consent: Resource, desk: Desk) -> list[Line]:
    zone = settings_of(desk).time_zone
    facts = consent_facts(consent, None, time_zone=zone)
    explained = [
        Line("告知人 Explained by", await called(reference_of(extension_value(one, EXPLAINED_BY)), desk))
        for one in consent.get("verification", [])
    ]
    lines = [
        *explained,
        Line("告知时间 Explained at", when(facts.explained_at, desk)),
        Line("行为能力 Capacity", coded(extension_value(consent, CAPACITY))),
        Line("代签理由 Signed for the patient because", coded(extension_value(consent, REPRESENTATION))),
        Line("纸质签署理由 Signed on paper because", str(extension_value(consent, PAPER_REASON) or "")),
        Line("有效期 Valid", f"{when(facts.starts_at, desk)} – {when(facts.ends_at, desk)}"),
        *await _exception(consent, desk),
        *await _withdrawal(consent, desk),
    ]
    return [line for line in lines if line.value]


async def _exception(consent: Resource, desk: Desk) -> list[Line]:
    lines = []
    for extension in extensions(consent, EXCEPTION):
        for part in extension.get("extension", []):
            if part.get("url") == "approver":
                lines.append(Line("批准人 Approved by", await called(reference_of(part.get("valueReference")), desk)))
            elif part.get("url") == "reason":
                lines.append(Line("理由 Reason", coded(part.get("valueCodeableConcept"))))
            elif part.get("url") == "attempt":
                lines.append(Line("联系近亲属 Tried to reach", await _attempt(part, desk)))
    return lines


async def _attempt(part: Resource, desk: Desk) -> str:
    said = {one.get("url"): one for one in part.get("extension", [])}
    by = await called(reference_of(said.get("by", {}).get("valueReference")), desk)
    at = when(moment(said.get("at", {}).get("valueDateTime"), settings_of(desk).time_zone), desk)
    whom, outcome = said.get("whom", {}).get("valueString", ""), said.get("outcome", {}).get("valueString", "")
    return f"{at} {aside(by)} → {aside(whom)}: {aside(outcome)}"


async def _withdrawal(consent: Resource, desk: Desk) -> list[Line]:
    lines = []
    for extension in extensions(consent, WITHDRAWAL):
        said = {one.get("url"): one for one in extension.get("extension", [])}
        at = when(moment(said.get("at", {}).get("valueInstant"), settings_of(desk).time_zone), desk)
        by = await called(reference_of(said.get("by", {}).get("valueReference")), desk)
        why = aside(coded(said.get("reason", {}).get("valueCodeableConcept")))
        lines.append(Line("撤回 Withdrawn", f"{at} {aside(by)}: {why}"))
    return lines


def _parts(found: Standing) -> list[tuple[Resource, str]]:
    """Each signature with the part it plays, as the agents of the record say it in the same order."""
    if found.record is None:
        return []
    record = found.record.resource
    agents: Sequence[Resource] = record.get("agent", [])
    names = [str(agent.get("type", {}).get("text", "")) for agent in agents]
    usual = " / ".join(PARTS["signature"][2:])
    given: Sequence[Resource] = record.get("signature", [])
    return [(one, names[n] if n < len(names) else usual) for n, one in enumerate(given)]


async def _signed(signature: Resource, part: str, desk: Desk) -> Signed:
    pen = kind_of(signature) == "pen-image"
    return Signed(
        part=part,
        who=await called(reference_of(signature.get("who")), desk),
        when=when(moment(signature.get("when"), settings_of(desk).time_zone), desk),
        kind=shown(extension_value(signature, SIGNATURE_KIND)),
        image=f"data:{signature['sigFormat']};base64,{signature['data']}" if pen else "",
    )


def _seals(consent: Stored, found: Standing, attachment: Resource) -> list[Line]:
    lines = [
        Line("文本 Text", str(extension_value(attachment, TEXT_VERSION) or attachment.get("title", ""))),
        Line("文本 SHA-256 of the text", sha256_of(attachment)),
        Line(
            "系统封签指纹 Fingerprint of the seal",
            hashlib.sha256(found.seal.encode()).hexdigest() if found.seal else "",
        ),
        Line("记录 Record", f"{consent.reference} / {consent.version}"),
    ]
    return [line for line in lines if line.value]


@cache
def _environment() -> Environment:
    loader = PackageLoader("slipring_consent", "templates")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"straight": straight, "isolated": isolated}
    return found
