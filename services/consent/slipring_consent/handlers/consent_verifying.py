"""`Consent/[id]/$verify`: whether what was signed still is what is served; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.outcome import invalid
from slipring.fhir.service import Call, Changes, Desk
from slipring.signing.policy import reason as signing_reason

from slipring_consent.catalogue import data_file
from slipring_consent.consenting.standing import SignatureFound, Standing, standing


async def verification_asked(call: Call, desk: Desk) -> Changes:
    """The verdict in words, every reason with its code, and each signature by itself."""
    if call.target is None:
        raise invalid(
            "This operation is called on one consent.", "该操作须针对一份知情同意调用。", detail="consent.one-consent"
        )
    found = await standing(call.target, desk)
    parameter: list[dict[str, Any]] = [
        {"name": "valid", "valueBoolean": found.verdict == "stands"},
        {"name": "verdict", "valueCode": found.verdict},
        {"name": "words", "valueString": in_words(found)},
        *[_reason(code) for code in found.reasons],
        *[{"name": "signature", "part": _signature(one)} for one in found.signatures],
    ]
    return Changes(answer={"resourceType": "Parameters", "parameter": parameter})


def in_words(found: Standing) -> str:
    """The verdict in both languages; a pen's image is said to be no cryptographic signature."""
    told = data_file("verification.toml")
    words = told["verdict"][found.verdict]
    pen = found.verdict == "stands" and any(one.kind == "pen-image" for one in found.signatures)
    more = told["verdict"]["pen-image"] if pen else {"zh": "", "en": ""}
    return f"{words['zh']}{more['zh']} {words['en']}{' ' if pen else ''}{more['en']}"


def _signature(one: SignatureFound) -> list[dict[str, Any]]:
    return [
        {"name": "who", "valueReference": {"reference": one.who}},
        {"name": "when", "valueDateTime": one.when},
        {"name": "kind", "valueCode": {"none": "named"}.get(one.kind, one.kind)},
        {"name": "valid", "valueBoolean": not one.reasons},
        *[_reason(code) for code in one.reasons],
    ]


def _reason(code: str) -> dict[str, Any]:
    words = _words_of(code)
    return {"name": "reason", "part": [
        {"name": "code", "valueCode": code},
        {"name": "zh", "valueString": words["zh"]},
        {"name": "en", "valueString": words["en"]},
    ]}  # fmt: skip


def _words_of(code: str) -> Mapping[str, str]:
    known: Mapping[str, Mapping[str, str]] = data_file("verification.toml")["reason"]
    if code in known:
        return known[code]
    told = signing_reason(code)
    return {"zh": told.zh, "en": told.en}
