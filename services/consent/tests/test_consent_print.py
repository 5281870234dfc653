"""A consent on paper: the text shown, the strokes, what they are not, and who it is about on every page."""

import io
import re

import pytest
from pypdf import PdfReader
from slipring.printing.pdf import INSTALL, can_print
from slipring_consent.consenting.plain_html import plain_html

from tests.support.consenting import a_signature, capacity, named, representation
from tests.support.contrast import a_consent

from .consent_room import MOTHER, NURSE, ConsentRoom
from .test_emergency_exception import a_room, an_attempt, an_exception


@pytest.mark.clause("4.4.1")
async def test_the_page_shows_text_signature_seal_and_that_an_image_is_no_cryptographic_signature() -> None:
    room = ConsentRoom()
    mother = f"RelatedPerson/{MOTHER['id']}"
    stated = [capacity("none"), representation("incapacity")]
    paper = room.paper(await room.text(), performer=[{"reference": mother}], extension=stated)
    signature = a_signature(mother, room.when)
    changes = await room.signed(paper, signature, clinician=("Signature", named(NURSE, room.when)))
    reference = f"Consent/{room.kept(changes)['id']}"
    page = (await room.printed(reference)).decode()
    for said in (
        "碘对比剂使用患者知情同意书", "示例患者", "SYN-0001", "示例母亲 母亲", "不是密码学签名", "no cryptographic signature",
        "患者无法作出决定", "同意使用对比剂", "2026-03-02 12:00", "2026-03-03 12:00", "iodinated-contrast|1", "护师",
        f'src="data:image/png;base64,{signature["data"]}"',
    ):  # fmt: skip
        assert said in page, said
    assert re.search(r"指纹[^<]*</th><td class=\"hash\">[0-9a-f]{64}<", page)
    await room.withdrawn(reference)
    assert "撤回 Withdrawn" in (await room.printed(reference)).decode()


@pytest.mark.skipif(not can_print(), reason=f"a PDF needs: {INSTALL}")
async def test_the_pdf_names_the_patient_and_counts_on_every_page_and_holds_chinese_words() -> None:
    room = ConsentRoom()
    consent = await room.consented()
    reader = PdfReader(io.BytesIO(await room.printed(f"Consent/{consent['id']}", "application/pdf")))
    texts = [page.extract_text() for page in reader.pages]
    assert len(texts) > 1
    for number, text in enumerate(texts, 1):
        assert "示例患者" in text and "SYN-0001" in text
        assert f"{number} / {len(texts)}" in text
    assert "重度：过敏性休克" in "".join(texts) and "不是密码学签名" in "".join(texts)
    assert any(page.images for page in reader.pages), "the strokes are in it"


async def test_a_consent_on_paper_is_printed_with_room_for_a_pen_and_an_exception_with_its_approver() -> None:
    room = a_room(a_consent())
    page = (await room.printed("Consent/c-consent")).decode()
    assert "未在本系统签署" in page and 'class="blank"' in page
    await room.written(an_exception(an_attempt()))
    page = (await room.printed("Consent/c-exception")).decode()
    assert "紧急例外" in page and "妻子" in page and "无法与近亲属取得联系" in page


def test_a_text_from_elsewhere_is_printed_by_its_words_alone() -> None:
    sent = b'<h1 onclick="x()">A</h1><script>alert(1)</script><p>b<img src="http://x"><a href="javascript:x">c</a><style>p{}</style>'
    assert plain_html(sent, "text/html") == "<h1>A</h1><p>bc</p>"
    assert plain_html(b"<b>one</b>\n\ntwo", "text/plain; charset=utf-8") == "<p>&lt;b&gt;one&lt;/b&gt;</p><p>two</p>"
    assert plain_html(b"%PDF", "application/pdf") == ""
    assert plain_html(b"</main></table><p><b>x</p>y", "text/html") == "<p><b>x</b></p>y"
