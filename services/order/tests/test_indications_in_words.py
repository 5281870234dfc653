"""Indications in words: what is denied is none, what only looks like a word is none, what is to be ruled out is one."""

from __future__ import annotations

import pytest
from slipring_order.gathering.indications import groups_of


@pytest.mark.parametrize(
    ("reason", "groups"),
    [
        ("无外伤", set()),
        ("咳嗽，无发热", {"chest"}),
        ("咳嗽,无发热、胸痛", {"chest"}),
        ("否认外伤史 咳嗽3天", {"chest"}),
        ("头痛，未见骨折", {"headache"}),
        ("没有发热，腹痛", {"abdominal-pain"}),
        ("无发热但咳嗽", {"chest"}),
        ("非肿瘤", set()),
        ("no trauma", set()),
        ("without fever", set()),
        ("cough without fever", {"chest"}),
        ("No fever or weight loss, back pain", {"back-pain"}),
        ("Denies trauma. Headache.", {"headache"}),
        ("no fever but cough", {"chest"}),
        ("cough, no evidence for metastasis", {"chest"}),
        ("non-traumatic headache", {"headache"}),
    ],
)
def test_what_a_reason_denies_is_no_indication(reason: str, groups: set[str]) -> None:
    assert groups_of([reason], []) == groups


@pytest.mark.parametrize(
    ("reason", "group"),
    [
        ("外伤后，排除骨折", "general"),
        ("排除肺炎", "chest"),
        ("无法排除骨折", "general"),
        ("了解有无转移", "general"),
        ("有没有骨折", "general"),
        ("无外伤史，排除肺炎", "chest"),
        ("rule out fracture", "general"),
        ("no trauma, rule out pneumonia", "chest"),
        ("no trauma rule out pneumonia", "chest"),
        ("无痛性血尿", "adrenal-kidney"),
        ("无明显诱因咳嗽3天", "chest"),
        ("无意中发现颈部肿物", "neck-mass"),
        ("非小细胞肺癌", "general"),
        ("非霍奇金淋巴瘤", "general"),
        ("non-small cell lung cancer", "chest"),
        ("non-Hodgkin lymphoma", "general"),
        ("no improvement of cough", "chest"),
        ("colorectal carcinoma", "pelvis"),
        ("uterine mass", "pelvis"),
        ("metastases", "general"),
    ],
)
def test_what_is_asked_for_stays_an_indication_whatever_it_begins_with(reason: str, group: str) -> None:
    assert group in groups_of([reason], [])


@pytest.mark.parametrize(
    ("reason", "groups"),
    [
        ("脑供血不足", set()),
        ("computer work", set()),
        ("高胆固醇", set()),
        ("胰岛素治疗中", set()),
        ("gallbladder polyp", {"abdominal-pain"}),
        ("右足疼痛", {"limb"}),
        ("足踝肿胀", {"limb"}),
        ("胆囊炎", {"abdominal-pain"}),
        ("胆总管扩张", {"abdominal-pain"}),
        ("胰头占位", {"pancreas"}),
    ],
)
def test_a_word_inside_another_word_is_no_indication(reason: str, groups: set[str]) -> None:
    assert groups_of([reason], []) == groups
