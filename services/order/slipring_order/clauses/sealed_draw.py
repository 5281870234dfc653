"""The draw as a sealed proof: what the parts of a sample are checked against, wherever they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipring.fhir.service import Desk, Resource
from slipring.signing.form import exact_text
from slipring.signing.key_certificates import certified_keys
from slipring.signing.proof import Member, packed
from slipring.signing.report_proof import KEY_CERTIFICATES, KEYS
from slipring.signing.sample_proof import DRAW, DRAWN

from slipring_order.clauses.sample import Drawn, quotas

_SERVICES = ("order", "consent", "report", "critical")  # each has its part of a case
_ABOUT = "Measure/assessor-sample"
_TEXT = {
    "zh": "患者姓名、证件号、地址、电话、出生月日已隐去，标识符与就诊、患者引用以本样本专用的假名代替。"
    "自由文本予以保留，其中已知的患者姓名、号码、地址已涂去，未登记为姓名或号码的内容无法识别。"
    "附件仅保留大小与摘要。签名在隐去前由系统核验，结果见 checked.json。",
    "en": "Names, numbers, addresses, telephones and days of birth of patients are left out; identifiers, patients and stays "
    "are pseudonyms of this sample alone. Free text is kept, with every name, number and address of the patient that is on "
    "record struck out; what nobody recorded as such cannot be known. Of attachments size and digest are kept. Signatures "
    "were checked before masking: checked.json.",
}


async def sealed(answer: Sequence[Resource], drawn: Drawn, desk: Desk) -> bytes:
    """The proof (`slipring.signing.sample_proof`): what the answer says before its cases, the cases, what was not filled."""
    said: dict[str, Any] = {
        one["name"]: next(value for name, value in one.items() if name != "name") for one in answer if "part" not in one
    }
    cases = [
        {"exam": one.task, "request": one.request, "kind": one.kind, "part": one.part, "systems": list(one.systems)}
        for one in drawn.cases
    ]
    told = {
        **said,
        "quotas": {kind: {name: quota[name] for name in ("cases", "parts")} for kind, quota in quotas().items()},
        "services": list(_SERVICES),
        "cases": cases,
        "lacking": [{"zh": one.zh, "en": one.en} for one in drawn.lacking],
        "masking": _TEXT,
    }
    keys = await desk.seals.keys()
    members = [
        Member(DRAWN, "application/json", exact_text(told)),
        Member(KEYS, "application/json", exact_text({"keys": list(keys)})),
    ]
    if vouched := certified_keys(desk.settings.trust.parent, keys, desk.now):
        members.append(Member(KEY_CERTIFICATES, "application/x-pem-file", vouched))
    return packed(DRAW, _ABOUT, desk.now, members, desk.seals.seal)
