"""The codes of the order service as code systems, from the tables that its rules run on."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.terminology.own import BETWEEN_SERVICES, own_system, read_code_systems
from slipring.staff.vocabulary import STAFF

from slipring_order import catalogue, lifecycle
from slipring_order.department.vocabulary import DEPARTMENT_CODES
from slipring_order.eqa import form
from slipring_order.equipment import round
from slipring_order.life import cancelling
from slipring_order.offer.protocols import group_names, tissue_names
from slipring_order.offer.words import FILE
from slipring_order.review.words import WORDS
from slipring_order.rooms.scanner_standard import editions, kinds, names_of_tests

CODE_SYSTEMS = (
    *BETWEEN_SERVICES,
    *STAFF,
    own_system("exam-state", "State of an exam", "检查状态", lifecycle.states()),
    own_system(
        "missing-item",
        "Item that a request must state",
        "申请必备项",
        {item.code: {"zh": item.zh, "en": item.en} for item in catalogue.items().values()},
    ),
    own_system(
        "exam",
        "Examination",
        "检查项目",
        {code: {"zh": exam.zh, "en": exam.en} for code, exam in catalogue.own_codes().items()},
        catalogue.catalogue_version(),
    ),
    own_system(
        "body-part",
        "Part of the body",
        "检查部位",
        {name: {"zh": place.zh, "en": place.en} for name, place in catalogue.places().items()},
    ),
    own_system("cancellation", "Why an exam was cancelled", "取消原因", cancelling.cancellations()),
    own_system("scanner-test", "Test of a scanner", "CT 设备检测项目", names_of_tests()),
    own_system("scanner-standard", "Standard of the tests of a scanner", "CT 设备检测标准", editions()),
    own_system("qc-round-state", "State of a round of tests", "质控轮次状态", round.names()),
    own_system("scanner-test-kind", "Kind of test of a scanner", "CT 设备检测类型", kinds()),
    *form.code_systems(),
    own_system("protocol-group", "Group of scan protocols", "扫描方案组", group_names()),
    own_system("tissue", "Tissue", "组织", tissue_names()),
    *read_code_systems(Path(__file__).parent / "data" / "vocabulary.toml"),
    *read_code_systems(FILE),
    *read_code_systems(WORDS),
    *DEPARTMENT_CODES,
)
