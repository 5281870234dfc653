"""At the injector, on a tablet: who it is by two identifiers, contrast that is not given, and the consent on paper."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from slipring.printing.pdf import INSTALL, can_print

from tests.department.bedside.contrast_morning import ContrastMorning, until_found
from tests.department.conftest import Enter, looked_at


def came(contrast: ContrastMorning, who: str) -> str:
    """Somebody is received at the desk by card and date of birth; the id of the request."""
    exam, patient = contrast.comes(who), contrast.morning.patients[who]
    shown = [
        {"name": "identifier", "valueIdentifier": {"value": contrast.morning.card(who)}},
        {"name": "birthDate", "valueDate": patient["birthDate"]},
        {"name": "performer", "valueReference": {"reference": contrast.morning.staff["nurse"]}},
    ]
    with contrast.served.client() as http:
        [task] = until_found(http, f"Task?code=exam&focus=ServiceRequest/{exam}")
        said = {"resourceType": "Parameters", "parameter": shown}
        http.post(f"/fhir/Task/{task['id']}/$arrive", json=said).raise_for_status()
    return exam


def administrations(contrast: ContrastMorning, who: str) -> list[dict[str, Any]]:
    with contrast.served.client() as http:
        return until_found(http, f"MedicationAdministration?patient={contrast.morning.patients[who]['id']}")


@pytest.mark.clause("5.5.1.1")
@pytest.mark.parametrize(
    ("who", "language", "number", "born", "confirm", "confirmed"),
    [
        ("桃", "zh", "就诊卡或腕带编号", "患者口述的出生日期", "确认身份", "本次检查已核对身份"),
        (
            "李", "en", "Number on card or wristband", "Date of birth as the patient says it", "Confirm who it is",
            "Identity is confirmed on the record of this exam",
        ),
    ],
)  # fmt: skip
def test_two_identifiers_of_different_kinds_say_who_it_is_and_one_does_not(
    contrast: ContrastMorning, enter: Enter, who: str, language: str, number: str, born: str, confirm: str,
    confirmed: str,
) -> None:  # fmt: skip
    exam = came(contrast, who)
    page = enter("bedside", f"/bedside/exams/{exam}/injection", language, "tablet")
    card, button = page.get_by_role("textbox", name=number), page.get_by_role("button", name=confirm)
    card.fill(contrast.morning.card(who))
    button.click()
    expect(page.locator(".problem").first).to_be_visible()
    expect(card).to_have_value(contrast.morning.card(who))
    page.get_by_label(born).fill("1999-09-09")
    button.click()
    expect(page.locator("#birth_date-problem")).to_be_visible()
    looked_at(page, f"bedside-identity-refused-{language}")
    page.get_by_label(born).fill("1962-03-04")
    button.click()
    expect(page.get_by_text(confirmed)).to_be_visible()
    expect(button).to_have_count(0)
    looked_at(page, f"bedside-identity-confirmed-{language}")
    with contrast.served.client() as http:
        [task] = until_found(http, f"Task?code=exam&focus=ServiceRequest/{exam}")
    assert "identity-confirmed" in str(task)


@pytest.mark.clause("5.5.3")
def test_contrast_that_is_not_given_is_on_record_with_its_reason(contrast: ContrastMorning, enter: Enter) -> None:
    exam = contrast.comes("杏")
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "zh", "tablet")
    page.get_by_text("不使用对比剂", exact=True).click()
    record = page.get_by_role("button", name="记录：杏虚构 不使用对比剂")
    record.click()
    expect(page.locator("#left-problem")).to_be_visible()
    looked_at(page, "bedside-not-given-refused-zh")
    page.get_by_role("textbox", name="不使用对比剂的原因").fill("平扫已足够")
    record.click()
    expect(page.locator("dl.steps")).to_contain_text("未给药")
    looked_at(page, "bedside-not-given-zh")
    [kept] = administrations(contrast, "杏")
    assert (kept["status"], kept["statusReason"][0]["text"]) == ("not-done", "平扫已足够")
    assert "dosage" not in kept, "nothing was given"


@pytest.mark.clause("5.5.3")
def test_what_was_permitted_and_not_given_after_all_is_ended_as_not_given(
    contrast: ContrastMorning, enter: Enter
) -> None:
    exam = contrast.comes("梨")
    contrast.cleared("梨")
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "en", "tablet")
    page.get_by_role("textbox", name="Lot number").fill(contrast.shelved())
    page.get_by_role("textbox", name="Dose").fill("60")
    page.get_by_role("button", name=re.compile("Ask permission and start")).click()
    expect(page.get_by_text("● Permitted: the injection runs")).to_be_visible()
    page.get_by_role("radio", name="not given after all").check()
    page.get_by_role("textbox", name="Reason, when it was broken off or not given").fill("the vein gave way")
    page.get_by_role("button", name=re.compile("Record the injection")).click()
    expect(page.locator("dl.steps")).to_contain_text("not given")
    looked_at(page, "bedside-not-given-after-all-en")
    [kept] = administrations(contrast, "梨")
    assert (kept["status"], kept["statusReason"][0]["text"]) == ("not-done", "the vein gave way")
    assert "effectivePeriod" not in kept


def order_of(page: Page, words: str) -> list[float]:
    """Where the signs of the first such words on the page stand, from left to right."""
    return list(
        page.evaluate(
            """words => {
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.data.indexOf(words);
                if (at < 0) continue;
                return [...words].map((_, n) => {
                  const range = document.createRange();
                  range.setStart(node, at + n); range.setEnd(node, at + n + 1);
                  return range.getBoundingClientRect().left;
                });
              }
            }""",
            words,
        )
    )


@pytest.mark.clause("4.4.1")
def test_the_consent_is_printed_from_the_injection_page_and_a_name_turns_no_date_round(
    contrast: ContrastMorning, enter: Enter
) -> None:
    who = "桔\u202e"
    exam = contrast.comes(who)
    consent = contrast.cleared(who)
    page = enter("bedside", f"/bedside/exams/{exam}/injection", "zh", "tablet")
    page.get_by_role("link", name="打印知情同意书").click()
    page.wait_for_url(f"**/bedside/{consent.replace('Consent', 'consents')}/print")
    expect(page.get_by_text("出生日期 Born")).to_be_visible()
    born = order_of(page, "1962-03-04")
    assert born == sorted(born), "the date of birth is not printed backwards"
    page.set_content("<p>患者: <b>桔\u202e虚构</b> · Born: <b>1962-03-04</b></p>")
    turned = order_of(page, "1962-03-04")
    assert turned != sorted(turned), "as it would be without isolation"
    pdf = page.request.get(f"/bedside/{consent.replace('Consent', 'consents')}/print?as=pdf")
    if can_print():
        assert (pdf.status, pdf.headers["content-type"], pdf.body()[:5]) == (200, "application/pdf", b"%PDF-")
    else:
        assert pdf.status == 406, INSTALL
