"""A consent on paper: the text shown, the strokes, what they are not, and who it is about on every page."""

import asyncio
import base64
import io
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from slipring.printing.pdf import INSTALL, can_print, pdf_of
from slipring_consent.consenting.facts import PAPER_REASON
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


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("inactive", "WITHDRAWN"),
        ("rejected", "CONTRAST REFUSED"),
        ("entered-in-error", "void"),
        ("draft", "not signed"),
    ],
)
async def test_a_consent_that_does_not_count_says_so_at_the_top_in_large_words(how: str, words: str) -> None:
    room = ConsentRoom(a_consent(), a_consent(id="c-over", status=how))
    assert 'class="over"' not in (await room.printed("Consent/c-consent")).decode()
    assert re.search(rf'<p class="over">[^<]*{words}', (await room.printed("Consent/c-over")).decode())
    room.desk.now += timedelta(days=30)
    assert re.search(r'<p class="over">[^<]*EXPIRED', (await room.printed("Consent/c-consent")).decode())


async def test_a_print_says_why_it_was_signed_on_paper_in_words_that_do_nothing() -> None:
    reason = "<script>alert(1)</script>平板损坏\u202e"
    room = ConsentRoom(a_consent(extension=[{"url": PAPER_REASON, "valueString": reason}]))
    page = (await room.printed("Consent/c-consent")).decode()
    assert "平板损坏" in page and "Signed on paper because" in page and "<script" not in page


@pytest.mark.clause("4.4.1")
async def test_a_name_that_turns_its_words_round_turns_nothing_beside_it() -> None:
    turning = "示例\u202e患者\u2069"
    room = ConsentRoom(name=[{"text": turning}], identifier=[{"value": "SYN-\u2067\u202e0001"}])
    consent = await room.consented()
    await room.withdrawn(f"Consent/{consent['id']}")
    page = (await room.printed(f"Consent/{consent['id']}")).decode()
    assert page.count("<b><bdi>示例患者</bdi></b>") == 1 and "<dd>示例患者</dd>" in page
    assert "SYN-\u20670001\u2069" in page, "what it opens ends with it"
    assert re.search("撤回 Withdrawn</th><td>[-0-9]{10} [:0-9]{5} \u2068示例患者\u2069: \u2068", page)
    assert not re.search("[\u202a-\u202e\u2028\u2029]", page)
    assert all(line.count("\u2069") == len(re.findall("[\u2066-\u2068]", line)) for line in page.splitlines())


def test_a_text_of_a_thousand_boxes_in_one_another_keeps_its_words() -> None:
    told = plain_html(b"<section>" * 5000 + b"deep", "text/html")
    assert "deep" in told and told.count("<section>") == told.count("</section>") < 100


# Whatever looks for Pango through cffi finds nothing, as on a machine where it was not installed.
WITHOUT_PANGO = """
import cffi
whole = cffi.FFI.dlopen
def dlopen(self, name, flags=0):
    if name and "pango" in str(name).lower():
        raise OSError("cannot load library " + str(name))
    return whole(self, name, flags)
cffi.FFI.dlopen = dlopen
import asyncio
from slipring.fhir.outcome import FhirError
from slipring.printing.pdf import INSTALL, can_print
from services.consent.tests.consent_room import ConsentRoom
from tests.support.contrast import a_consent
assert not can_print()
room = ConsentRoom(a_consent())
assert asyncio.run(room.printed("Consent/c-consent"))
try:
    asyncio.run(room.printed("Consent/c-consent", "application/pdf"))
except FhirError as error:
    print(error.status, *[one.detail for one in error.issues], INSTALL in error.issues[0].en)
"""


def test_where_pango_is_not_installed_the_page_is_printed_and_a_pdf_is_406() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANGO], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    # WeasyPrint says first, on the same channel, what it misses.
    assert done.stdout.splitlines()[-1:] == ["406 consent.no-pdf True"], done.stderr


@pytest.mark.skipif(not can_print(), reason=f"a PDF needs: {INSTALL}")
async def test_nothing_is_fetched_while_a_pdf_is_made() -> None:
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        there = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        drawn = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{there}" width="9" height="9"/></svg>'
        inside = "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()
        page = (
            f'<link rel="stylesheet" href="{there}"><style>@import "{there}"; p {{ background: url({there}) }}</style>'
        )
        for source in (there, "file:///etc/passwd", inside):
            page += f'<p><img src="{source}"></p>'
        assert (await asyncio.to_thread(pdf_of, page)).startswith(b"%PDF")
    assert heard == []


def test_a_text_from_elsewhere_is_printed_by_its_words_alone() -> None:
    sent = b'<h1 onclick="x()">A</h1><script>alert(1)</script><p>b<img src="http://x"><a href="javascript:x">c</a><style>p{}</style>'
    assert plain_html(sent, "text/html") == "<h1>A</h1><p>bc</p>"
    assert plain_html(b"<b>one</b>\n\ntwo", "text/plain; charset=utf-8") == "<p>&lt;b&gt;one&lt;/b&gt;</p><p>two</p>"
    assert plain_html(b"%PDF", "application/pdf") == ""
    assert plain_html(b"</main></table><p><b>x</p>y", "text/html") == "<p><b>x</b></p>y"
