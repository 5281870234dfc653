"""What is written of one exam in the quarter: its request, and a report whose text asks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slipring_demo.contrast import an_egfr
from slipring_demo.lots import a_weight
from slipring_demo.ordering import a_request, not_pregnant, stated
from slipring_demo.reading import a_draft
from slipring_demo.scene import Cast

Tree = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


@dataclass(frozen=True)
class Kind:
    """A kind of exam: its code, its place, why it is asked for, what is seen, and what that comes to."""

    code: str
    place: str
    asked: str
    seen: str
    comes_to: str
    system: str
    contrast: bool = False


_HEAD = "脑实质未见异常密度影，脑室系统大小形态正常，中线结构居中。"
_ABDOMEN = "肝实质密度均匀，未见异常密度影，胆囊不大，胰腺形态正常。"
KINDS = {
    "head": Kind("24725-4", "69536005", "Head injury. 今晨头部外伤。", _HEAD, "头颅CT平扫未见明显异常。", "B1"),
    "abdomen": Kind("36424-0", "818981001", "Upper abdominal pain. 上腹痛3天。", _ABDOMEN, "腹部CT平扫未见明显异常。", "B4"),
    "kidney": Kind("36503-1", "64033007", "Flank pain. 双侧腰痛1周。", "双肾形态正常。", "双肾CT平扫未见明显异常。", "B5"),
    "lumbar": Kind("30620-9", "122496007", "Back pain. 腰痛1个月。", "腰椎序列整齐，椎体形态正常。", "腰椎CT平扫未见明显异常。", "B6"),
    "vessels": Kind(
        "36147-7", "816094009", "Dyspnoea for two hours; embolism? 呼吸困难2小时，肺栓塞？",
        "肺动脉主干及分支显影良好，未见充盈缺损。双肺未见实变。", "肺动脉CTA未见明显异常。", "B2", contrast=True,
    ),
    "enhanced abdomen": Kind(
        "79103-8", "818981001", "Weight loss; a mass? 消瘦3个月，腹部肿块？", _ABDOMEN, "腹部CT增强未见明显异常。", "B4", contrast=True,
    ),
}  # fmt: skip
# Asked for by faults alone.
FAULTY = {
    "right kidney": Kind(
        "36503-1", "64033007", "Right flank pain. 右侧腰痛1周。", "右肾见结石，直径 6 mm。", "右肾结石。", "B5"
    ),
}


def patient(number: int) -> Tree:
    """A patient of the quarter, born so that no rule about age or pregnancy asks anything."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "https://slipring.example/fhir/patient-number", "value": f"Q-{number:04d}"}],
        "name": [{"family": "虚", "given": [f"构{number}"], "text": f"虚构{number}"}],
        "telecom": [{"system": "phone", "value": "000-0000-0000"}],
        "gender": "male",
        "birthDate": f"19{50 + number % 30}-04-12",
    }


def before(cast: Cast) -> list[tuple[str, Tree]]:
    """What is known of the patient on the morning of the exam."""
    return [("egfr", an_egfr(cast)), ("weight", a_weight(cast)), ("status", not_pregnant(cast))]


def request(cast: Cast, kind: Kind, priority: str = "routine") -> Tree:
    """A complete request."""
    made = a_request(cast) | {"priority": priority}
    made["extension"].append(stated("laboratory", "none needed"))
    made |= {
        "code": {"coding": [{"system": LOINC, "code": kind.code}]},
        "bodySite": [{"coding": [{"system": SNOMED, "code": kind.place}]}],
        "reasonCode": [{"text": kind.asked}],
    }
    return made if kind.contrast else {name: value for name, value in made.items() if name != "orderDetail"}


def images(cast: Cast, *, served: bool) -> Tree:
    """The images of an exam, as an archive enters them that serves them to others, or does not."""
    return {
        **({"endpoint": [{"display": "WADO-RS of the archive"}]} if served else {}),
        "resourceType": "ImagingStudy",
        "status": "available",
        "subject": cast.subject,
        "started": cast.moment(),
        "basedOn": [{"reference": cast.exam}],
    }


def draft(cast: Cast, kind: Kind) -> Tree:
    """The report of an exam as the first reader drafts it."""
    bundle = a_draft(cast)
    report, text = (entry["resource"] for entry in bundle["entry"])
    report["conclusion"] = kind.comes_to
    said = {"59776-5": kind.seen, "19005-8": kind.comes_to, "11329-0": kind.asked}
    for section in text["section"]:
        if (words := said.get(section["code"]["coding"][0]["code"])) is not None:
            section["text"]["div"] = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'
    return bundle
