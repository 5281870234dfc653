"""What stands in the consent form, as a Consent with its signature. Pure.

A signature by pen is an image: it shows that somebody signed, and is no cryptographic signature. What was signed on paper
is a Consent without one, with the reason why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from slipring.bedside.standing import ContrastExam
from slipring.department import names
from slipring.department.road import Tree
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL

CAPACITIES = ("full", "own-labour", "limited", "none")
REPRESENTATIONS = ("minor", "incapacity", "authorised")
PAPER = f"{CANONICAL}/StructureDefinition/paper-reason"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
RELATIONSHIPS: Mapping[str, tuple[str, str]] = {
    "PRN": ("父母", "parent"),
    "GUARD": ("监护人", "guardian"),
    "SPS": ("配偶", "spouse"),
    "CHILD": ("子女", "child"),
    "SIB": ("兄弟姐妹", "brother or sister"),
    "FAMMEMB": ("其他近亲属", "another relative"),
}
_EXPLAINED_BY = f"{CANONICAL}/StructureDefinition/explained-by"
_CONTRAST_CONSENT = {"system": "http://loinc.org", "code": "59284-0"}
_AUTHOR = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7", "display": "Consent Signature"}
_EXPLAINER = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1", "display": "Author's Signature"}
_PICTURE = re.compile(r"data:(image/(?:png|svg\+xml));base64,([A-Za-z0-9+/=]+)", re.ASCII)
# Where a refusal points -> the field beside which it is shown; the first that fits.
FIELDS = (
    ("'signature'", "pen"), ("'clinician'", "explainer"), ("'assent'", "assent"), ("verification", "explainer"), ("performer", "signer"),
    ("capacity", "capacity"), ("representation", "representation"), ("'dose'", "dose"), ("'agent'", "agent"), ("'language'", "language"),
    ("RelatedPerson", "relative"), ("'reason'", "reason"), ("'by'", "by"), ("sourceReference", "text"),
)  # fmt: skip


def field_at(expression: str) -> str:
    """The field that an expression of a refusal points at; '' for the whole form."""
    return next((name for part, name in FIELDS if expression == name or part in expression), "")


@dataclass(frozen=True, slots=True)
class Signed:
    """What was said in the form, with the people it names as references."""

    one: ContrastExam
    form: Mapping[str, str]
    text: str  # DocumentReference/id of the text shown
    signer: str
    explainer: str
    at: datetime

    @property
    def refuses(self) -> bool:
        """Whether the patient refuses."""
        return self.form.get("decision") == "deny"

    @property
    def on_paper_because(self) -> str:
        """Why it was signed on paper; '' when it is signed here."""
        return self.form.get("paper", "").strip()

    def consent(self) -> Tree:
        """The Consent, not yet signed."""
        when = self.at.isoformat(timespec="seconds")
        explained = {
            "verified": True,
            "verificationDate": when,
            "extension": [{"url": _EXPLAINED_BY, "valueReference": {"reference": self.explainer}}],
        }
        base = about(self.one, when)
        return {
            **base,
            **({"extension": said} if (said := self._said()) else {}),
            "status": "proposed",
            "performer": [{"reference": self.signer}],
            "sourceReference": {"reference": self.text},
            "policyRule": coded_concept(_ACT_CODE, "OPTOUT" if self.refuses else "OPTIN"),
            "verification": [explained],
            "provision": {"type": "deny" if self.refuses else "permit", **base["provision"]},
        }

    def on_paper(self) -> Tree:
        """The Consent that was signed on paper, with the reason why."""
        consent = self.consent()
        when = self.at.isoformat(timespec="seconds")
        provision = {**consent["provision"], "period": {"start": when}}
        return {
            **consent,
            "status": "rejected" if self.refuses else "active",
            "extension": [*consent.get("extension", []), {"url": PAPER, "valueString": self.on_paper_because}],
            "provision": provision,
        }

    def signature(self) -> Tree:
        """The signature by pen: drawn here, or a picture of one."""
        picture = self._drawn("pen", "picture")
        if picture is None:
            raise unprocessable(
                "Sign in the field, choose a picture of the signature (PNG), or say why it was signed on paper.",
                "请在签名区签名、上传签名图像（PNG），或注明纸质签署的原因。",
                at="pen",
                detail="bedside.no-signature",
            )
        return {**self._by(self.signer), **picture}

    def assent(self) -> Tree | None:
        """The patient's own assent beside who signs for him: drawn, or by name alone; None when nothing is said of it."""
        picture = self._drawn("assent_pen", "assent_picture")
        if picture is None and not self.form.get("assents"):
            return None
        patient = names.reference_in(self.one.exam.task.get("for"))
        if self.signer == patient:
            raise unprocessable(
                "Here the patient signs; an assent stands beside the signature of a relative or guardian.",
                "此处由患者本人签署；本人意愿仅随代签人的签名一并记录。",
                at="assent",
                detail="bedside.assent-alone",
            )
        return {**self._by(patient), **(picture or {})}

    def explained(self) -> Tree:
        """Who explained, by name alone: it was he who was signed in, or whose number was given."""
        return {
            "type": [_EXPLAINER],
            "when": self.at.isoformat(timespec="seconds"),
            "who": {"reference": self.explainer},
        }

    def _by(self, who: str) -> Tree:
        return {"type": [_AUTHOR], "when": self.at.isoformat(timespec="seconds"), "who": {"reference": who}}

    def _drawn(self, pen: str, picture: str) -> Tree | None:
        """What was drawn in one field or chosen in the other, as a Signature holds it."""
        drawn = self.form.get(pen, "").strip() or self.form.get(picture, "").strip()
        found = _PICTURE.fullmatch(drawn)
        return {"sigFormat": found[1], "data": found[2]} if found else None

    def _said(self) -> list[Tree]:
        capacity, represents = self.form.get("capacity", ""), self.form.get("representation", "")
        said = []
        if capacity in CAPACITIES:
            concept = coded_concept(f"{CANONICAL}/CodeSystem/capacity", capacity)
            said.append({"url": f"{CANONICAL}/StructureDefinition/capacity", "valueCodeableConcept": concept})
        if represents in REPRESENTATIONS and self.signer.startswith("RelatedPerson/"):
            concept = coded_concept(f"{CANONICAL}/CodeSystem/representation", represents)
            said.append({"url": f"{CANONICAL}/StructureDefinition/representation", "valueCodeableConcept": concept})
        return said


def a_relative(form: Mapping[str, str], patient: str) -> Tree:
    """The relative or guardian who signs, as he is named in the form."""
    name, code = form.get("relative_name", "").strip(), form.get("relationship", "")
    if not name or code not in RELATIONSHIPS:
        raise unprocessable(
            "Name who signs for the patient, and the relationship.",
            "请填写代签人姓名及与患者的关系。",
            at="relative",
            detail="bedside.no-relative",
        )
    zh, en = RELATIONSHIPS[code]
    return {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": {"reference": patient},
        "relationship": [{"coding": [{"system": _ROLE_CODE, "code": code, "display": en}], "text": zh}],
        "name": [{"text": name}],
    }


def about(one: ContrastExam, when: str) -> Tree:
    """What every Consent to the contrast of one exam says: whose it is, of which exam, and when it was written."""
    request = {"reference": f"ServiceRequest/{one.exam.id}"}
    return {
        "resourceType": "Consent",
        "scope": coded_concept("http://terminology.hl7.org/CodeSystem/consentscope", "treatment"),
        "category": [{"coding": [_CONTRAST_CONSENT]}],
        "patient": {"reference": names.reference_in(one.exam.task.get("for"))},
        "dateTime": when,
        "provision": {"data": [{"meaning": "instance", "reference": request}]},
    }


def coded_concept(system: str, code: str) -> Tree:
    """A concept of one code."""
    return {"coding": [{"system": system, "code": code}]}
