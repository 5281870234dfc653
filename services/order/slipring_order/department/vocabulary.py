"""The codes of the department's own records, from the tables that its lists run on."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.terminology.own import own_system, read_code_systems
from slipring.quality import life as quality

from slipring_order.department.obligations import Carrier, carried_by, obligations


def _named(carrier: Carrier) -> dict[str, dict[str, str]]:
    return {code: {"zh": one.zh, "en": one.en} for code, one in carried_by(carrier).items()}


DEPARTMENT_CODES = (
    own_system("department-document", "Document of the department", "科室文件", _named("document")),
    own_system(
        "device-kind",
        "Kind of device",
        "设备类别",
        {code: names for code, names in _named("device").items() if code != "expiry"},
    ),
    own_system("device-test", "Test of a device", "设备检测", _named("test")),
    own_system(
        "department-obligation",
        "What the department owes",
        "科室应尽事项",
        {one.code: {"zh": one.zh, "en": one.en} for one in obligations()},
    ),
    quality.STATES,
    *read_code_systems(Path(__file__).with_name("vocabulary.toml")),
)
