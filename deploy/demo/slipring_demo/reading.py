"""Chapters six to ten: draft, critical finding, read-back, two signatures, release, verification."""

from __future__ import annotations

import base64
import html
from datetime import UTC, datetime

from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import sign_payload

from slipring_demo.cast import SYNTHETIC, C
from slipring_demo.scene import Cast, Scene, Tree
from slipring_demo.teller import Teller, parameters, value_of

_COMPOSITION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
_SECTIONS = (
    ("11329-0", "History", "Sudden dyspnoea and chest pain. 突发呼吸困难伴胸痛。"),
    (
        "59776-5",
        "Findings",
        "Filling defects in both lower lobe pulmonary arteries, up to 14 mm. 双下肺动脉充盈缺损，最大 14 mm。",
    ),
    ("18834-2", "Comparison", "No earlier images at hand. 无既往影像对比。"),
    ("19005-8", "Impression", "Acute pulmonary embolism, both lower lobes. 双下肺动脉急性栓塞。"),
)
FINDING = "CV-CT-06"


def draft(scene: Scene) -> str:
    """The report as one transaction: DiagnosticReport and Composition."""
    teller = scene.teller
    teller.say("The radiologist drafts the report")
    answer = teller.ask("POST", "", a_draft(scene))
    report = "/".join(answer["entry"][0]["response"]["location"].split("/fhir/")[1].split("/")[:2])
    teller.note(f"{report} is a draft")
    return report


def flag(scene: Scene, report: str) -> Tree:
    """A critical finding does not wait for signatures."""
    teller = scene.teller
    teller.say("A critical finding: flagged at once, before any signature")
    scene.times["flagged"] = datetime.now(UTC)
    answer = teller.ask(
        "POST",
        f"{report}/$flag-critical",
        parameters(
            finding=("Coding", {"system": f"{C}/CodeSystem/critical-finding", "code": FINDING}),
            level=("Code", "1"),
            recognisedAt=("DateTime", scene.moment()),
            performer=("Reference", scene.person("first reader")),
        ),
        (200, 201),
    )
    handover = value_of(answer, "handover")["reference"]
    case = teller.wait_for(f"Task?based-on={handover}&code=critical-case", "critical has opened a case")
    teller.wait_for(
        f"Task?_id={handover.partition('/')[2]}", "the hand-over is closed", lambda t: t["status"] == "completed"
    )
    return case


def answered(scene: Scene, case: Tree) -> None:
    """The first recipient stays silent; the second reads back."""
    teller = scene.teller
    teller.say("The requester is rung and stays silent; the ward duty doctor is next and reads back")
    teller.must(scene.phones["requester"].wait(), "the requester's phone rang")
    scene.times["first ring"] = datetime.now(UTC)
    message, headers = scene.phones["requester"].received[-1], scene.phones["requester"].headers[-1]
    teller.note(f"attempt {headers['idempotency-key']}, repeat {headers['slipring-repeat']}: {message['text']['en']}")
    teller.must(
        scene.patient.get("birthDate", "?") not in str(message), "the message carries nothing about the patient"
    )
    teller.must(scene.phones["ward duty"].wait(), "nobody answered: the ward duty doctor's phone rang")
    said = {
        "finding": ("Code", FINDING),
        "medium": ("Code", "webhook"),
        "receiver": ("Reference", scene.person("ward duty")),
    }
    path = f"Task/{case['id']}/$acknowledge"
    wrong = "0000" if scene.imaging_number[-4:] != "0000" else "1111"
    teller.ask("POST", path, parameters(patientCheck=("String", wrong), **said), 422)
    teller.note("a wrong read-back is refused and kept; the case stays open")
    answer = teller.ask("POST", path, parameters(patientCheck=("String", scene.imaging_number[-4:]), **said))
    scene.times["read back"] = datetime.now(UTC)
    done = value_of(answer, "return") or answer
    teller.must(_code(done) == "read-back-confirmed", "read back and confirmed by a named person")
    answer = teller.ask(
        "POST",
        f"Task/{case['id']}/$act",
        parameters(action=("CodeableConcept", {"text": "Anticoagulation begun 已开始抗凝"})),
    )
    timeline = teller.ask("POST", f"Task/{case['id']}/$timeline", parameters())
    events = [p for p in timeline.get("parameter", []) if p["name"] == "event"]
    teller.must(len(events) >= 8, f"the timeline holds all of it: {len(events)} events")


def signed_twice(scene: Scene, report: str) -> None:
    """Two qualified people sign the very text they have read; the second over the first."""
    teller = scene.teller
    teller.say("Two people sign, each with a key of their own")
    authority = make_authority(scene.data_dir / "signing", now=datetime.now(UTC))
    for name, role in (("first reader", "author"), ("second reader", "reviewer")):
        key, csr = make_key_and_csr(name)
        chain = issue(authority, csr, scene.staff[name], name, now=datetime.now(UTC))
        asked = teller.ask("POST", f"{report}/$signing-input", parameters(role=("Code", role)))
        payload = base64.b64decode(value_of(asked, "payload"))
        jws = sign_payload(payload, key, chain, role, value_of(asked, "previous") or "", datetime.now(UTC))
        teller.ask("POST", f"{report}/$sign", parameters(jws=("String", jws), role=("Code", role)), (200, 201))
        teller.note(f"{name}: ES256 over {len(payload)} bytes, sha256 {value_of(asked, 'sha256')[:16]}…")
    released = teller.ask("GET", report)
    teller.must(released["status"] == "final", "released: final, with its rendering sealed in presentedForm")


def received(scene: Scene, report: str) -> None:
    """The HIS, which subscribed, has the report."""
    teller = scene.teller
    teller.say("The HIS subscriber receives the report")
    teller.must(scene.his.wait(), "delivered to the rest-hook subscriber")
    teller.must(f"DiagnosticReport/{scene.his.received[-1].get('id')}" == report, "it is this report, final")


def verified(scene: Scene, report: str) -> None:
    """Both signatures are checked again, from what is stored."""
    teller = scene.teller
    teller.say("Anyone can verify both signatures")
    answer = teller.ask("POST", f"{report}/$verify", parameters())
    signatures = [p for p in answer["parameter"] if p["name"] == "signature"]
    teller.must(value_of(answer, "valid") is True and len(signatures) == 2, "both signatures are valid")
    for signature in signatures:
        parts = {part["name"]: next(v for k, v in part.items() if k.startswith("value")) for part in signature["part"]}
        teller.note(f"{parts['who'].get('reference')} {parts['alg']} {parts['when']} valid={parts['valid']}")


def subscribe(scene: Scene, his: Teller) -> None:
    """The HIS asks to be told of released reports: with its own token, which sees no drafts."""
    his.created(a_subscription("DiagnosticReport?status=final", scene.his.url))


def routes(scene: Scene) -> None:
    """The department says how to ring whom."""
    teller = scene.teller
    teller.created(a_route({"valueReference": scene.person("requester")}, scene.phones["requester"].url))
    teller.created(a_route({"valueCode": "ward-duty"}, scene.phones["ward duty"].url))


def a_subscription(criteria: str, address: str) -> Tree:
    """A rest-hook that carries the resource."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "released reports",
        "criteria": criteria,
        "channel": {"type": "rest-hook", "endpoint": address, "payload": "application/fhir+json"},
    }


def _code(task: Tree) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


def a_route(of: Tree, address: str) -> Tree:
    """A webhook by which a person (`valueReference`) or an office (`valueCode`) is rung."""
    return {
        "resourceType": "Endpoint",
        "meta": SYNTHETIC,
        "status": "active",
        "extension": [{"url": f"{C}/StructureDefinition/route-of", **of}],
        "connectionType": {"system": f"{C}/CodeSystem/channel", "code": "webhook"},
        "payloadType": [{"text": "slipring critical message"}],
        "address": address,
    }


def a_draft(cast: Cast) -> Tree:
    """Report and text in one transaction."""
    papers = (("urn:uuid:report", a_report(cast)), ("urn:uuid:text", a_composition(cast)))
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": paper, "request": {"method": "POST", "url": paper["resourceType"]}}
            for url, paper in papers
        ],
    }


def a_report(cast: Cast) -> Tree:
    """A draft that points at its text."""
    return {
        "resourceType": "DiagnosticReport",
        "meta": SYNTHETIC,
        "extension": [{"url": _COMPOSITION, "valueReference": {"reference": "urn:uuid:text"}}],
        "basedOn": [{"reference": cast.exam}],
        "status": "partial",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "CT"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]},
        "subject": cast.subject,
        "effectiveDateTime": cast.moment(),
        "resultsInterpreter": [cast.person("first reader")],
        "conclusion": _SECTIONS[-1][2],
    }


def a_composition(cast: Cast) -> Tree:
    """The text, section by section."""
    return {
        "resourceType": "Composition",
        "meta": SYNTHETIC,
        "status": "preliminary",
        "type": {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]},
        "subject": cast.subject,
        "date": cast.moment(),
        "author": [cast.person("first reader")],
        "title": "CT report 检查报告",
        "section": [
            {
                "title": title,
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "text": {
                    "status": "generated",
                    "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{html.escape(text)}</p></div>',
                },
            }
            for code, title, text in _SECTIONS
        ],
    }
