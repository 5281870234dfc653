"""A Signature as it is handed in: by pen (an image, no cryptographic signature) or by the signer's own key (a JWS)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime

from slipring.fhir.outcome import Issue, refusal
from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.signing.jws import Judged, judge
from slipring.signing.policy import clock_tolerance
from slipring.signing.revocation import Revocations, read_lists

from slipring_consent.catalogue import data_file
from slipring_consent.consenting.pen_image import png_fault, svg_fault
from slipring_consent.consenting.statement import CONSENT_FORM
from slipring_consent.department import settings_of
from slipring_consent.reading import moment, reference_of
from slipring_consent.settings import ConsentSettings

SIGNATURE_KIND = f"{CANONICAL}/StructureDefinition/signature-kind"
KIND_SYSTEM = f"{CANONICAL}/CodeSystem/signature-kind"
SIGNER_ROLE = "consenter"


def kind_of(signature: Resource) -> str:
    """`pen-image`, `key`, or `none` for a signature that only names a person."""
    formats = data_file("signature.toml")["formats"]
    written = str(signature.get("sigFormat", ""))
    return "key" if written in formats["key"] else "pen-image" if written in formats["pen"] else "none"


def data_of(signature: Resource) -> bytes | None:
    """What a signature holds; None when it holds nothing or no base64."""
    data = signature.get("data")
    try:
        return base64.b64decode("".join(str(data).split()), validate=True) if data else None
    except (binascii.Error, ValueError):
        return None


def signed_at(signature: Resource, desk: Desk) -> datetime | None:
    """When it was signed, by the clock of the device."""
    return moment(signature.get("when"), settings_of(desk).time_zone)


def signature_issues(signature: Resource, at: str, desk: Desk, *, may_be_named_only: bool = False) -> list[Issue]:
    """All that is wrong with one signature as handed in, but for whose key it is."""
    found: list[str] = []
    if not reference_of(signature.get("who")):
        found.append("who")
    when = signed_at(signature, desk)
    if when is None or when > desk.now + clock_tolerance():
        found.append("when")
    named_only = may_be_named_only and not signature.get("sigFormat") and not signature.get("data")
    if not named_only:
        found += _content_faults(signature)
    words = _worded(at)
    return [words[fault] for fault in found]


def _worded(at: str) -> Mapping[str, Issue]:
    """Every fault of a signature in words."""
    formats = data_file("signature.toml")["formats"]
    told = ", ".join([*formats["pen"], *formats["key"]])
    data = f"{at}.data"
    return {
        "who": _fault("签名须注明签署人。", "A signature names who signs.", f"{at}.who", "consent.signature-who"),
        "when": _fault(
            "签名时间不得晚于现在。", "A signature is not of the future.", f"{at}.when", "consent.signature-when"
        ),
        "format": _fault(
            f"签名格式须为 {told}。",
            f"The format of a signature is one of {told}.",
            f"{at}.sigFormat",
            "consent.signature-format",
        ),
        "data": _fault(
            "签名没有内容，或不是 base64。",
            "The signature holds nothing, or no base64.",
            data,
            "consent.signature-data",
        ),
        "too-large": _fault(
            "签名图像过大。", "The image of the signature is too large.", data, "consent.signature-too-large"
        ),
        "unreadable": _fault(
            "签名图像无法读取。", "The image of the signature cannot be read.", data, "consent.signature-unreadable"
        ),
        "not-strokes": _fault(
            "签名图像含有笔迹以外的内容。",
            "The image of the signature holds other things than strokes.",
            data,
            "consent.signature-not-strokes",
        ),
        "blank": _fault(
            "签名图像上没有笔迹。",
            "There is no stroke on the image of the signature.",
            data,
            "consent.signature-blank",
        ),
    }


def _fault(zh: str, en: str, at: str, detail: str) -> Issue:
    return Issue("value", zh=zh, en=en, at=at, detail=detail)


def _content_faults(signature: Resource) -> Sequence[str]:
    kind, data = kind_of(signature), data_of(signature)
    if kind == "none":
        return ["format"]
    if not data:
        return ["data"]
    if kind == "key":
        return []
    fault = png_fault(data) if signature["sigFormat"] == "image/png" else svg_fault(data)
    return [fault] if fault else []


def judged_key(signature: Resource, payload: bytes, at: datetime, desk: Desk) -> Judged:
    """Examine a signature by key over the statement, at the service's time of it."""
    settings = settings_of(desk)
    return judge(
        (data_of(signature) or b"").decode("ascii", "replace"),
        payload,
        trust_pem=settings.trust_pem(),
        at=at,
        role=SIGNER_ROLE,
        algorithms=settings.algorithms,
        form=CONSENT_FORM,
        persons=("Practitioner", "Patient", "RelatedPerson"),
        revoked=_taken_back(settings),
    )


def _taken_back(settings: ConsentSettings) -> Revocations:
    """What the lists of the authorities say; 503 where one that is set cannot be read, because nobody knows what it says."""
    try:
        return Revocations(tuple(one for content in settings.revocation_lists() for one in read_lists(content)))
    except (OSError, ValueError):
        raise refusal(
            503,
            "exception",
            "A revocation list that is set up here cannot be read (SLIPRING_SIGNING_CRL).",
            "本系统设置的证书撤销列表无法读取（SLIPRING_SIGNING_CRL）。",
            detail="consent.revocation-list-unreadable",
        ) from None
