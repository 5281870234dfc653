"""How fast the words of a report are checked, and signatures made and verified: `--only checks`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from slipring.qc.report import ReportText, checked
from slipring.qc.report.records import read_record
from slipring.signing.certificate import issue, make_authority, make_key_and_csr
from slipring.signing.jws import judge, sign_payload
from slipring.signing.policy import allowed_algorithms

CORPUS = Path(__file__).parents[2] / "shared/tests/report_corpus"
PAGE = {"zh": 1200, "en": 2500}  # characters on a printed page
_ROUNDS = 15


def a_page(language: str, pages: int = 1) -> ReportText:
    """So many pages of text: the findings and impressions of the open half one after the other."""
    texts = {"findings": "", "impression": ""}
    for line in (CORPUS / f"open-{language}.jsonl").read_text("utf-8").splitlines() * pages:
        sections = read_record(line)[1].sections
        texts = {name: f"{text}{sections[name]}\n" for name, text in texts.items()}
        if sum(map(len, texts.values())) >= PAGE[language] * pages:
            break
    return ReportText(texts, sex="male", body_part="chest")


def best(act: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """Processor seconds of the quickest of some rounds: the others shared the core."""
    found = []
    for _ in range(rounds):
        begun = time.thread_time()
        act()
        found.append(time.thread_time() - begun)
    return min(found)


def measure(folder: Path, say: Callable[[str], None]) -> None:
    """Say how long a page takes, and how many signatures a second are made and judged on one core."""
    for language in PAGE:
        page = a_page(language)
        checked(page)
        letters = sum(map(len, page.sections.values()))
        say(f"check a page of text ({language}, {letters} characters): {best(lambda p=page: checked(p)) * 1000:.1f} ms")
    now = datetime.now(UTC)
    authority = make_authority(folder, now=now)
    key, csr = make_key_and_csr("a signer")
    chain = issue(authority, csr, "Practitioner/o-1", "a signer", now=now)
    payload, root = b"x" * 20_000, (folder / "root.pem").read_bytes()
    jws = sign_payload(payload, key, chain, "author", "", now)
    sign = best(lambda: sign_payload(payload, key, chain, "author", "", now))
    verify = best(
        lambda: judge(jws, payload, trust_pem=root, at=now, role="author", prev="", algorithms=allowed_algorithms())
    )
    say(f"sign 20 kB with ES256: {1 / sign:.0f}/s; verify with its certificate chain: {1 / verify:.0f}/s")
