"""A subscriber's own headers reach his endpoint and nobody else: checked, sealed in the lane, masked wherever they are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.channel_headers import MASK, header_issues, kept_again, masked, opened, sealed

from tests.fhir.place import Place, a_task, until, where
from tests.fhir.place import opened as street_of
from tests.fhir.test_delivery import SERVICE, Hook, delivered, subscription

TOKEN = "Bearer eyJ-not-for-you"


@pytest.mark.parametrize(
    "header",
    [
        "X-Secret: 1\r\nHost: evil",
        "X-Secret: 1\nX: 2",
        "X-Secret: \x00",
        "X-Secret: a\x0bb",
        "X-Secret: é",
        "X Secret: 1",
        ": 1",
        "X-Secret",
        "X-Secret:",
        "X-Secret:  ",
        "X-Secret\t: 1",
        "Ｘ: 1",
        "X: " + "a" * 5000,
        "Host: metadata",
        "host: x",
        "Content-Length: 0",
        "Content-Type: text/html",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "Upgrade: h2c",
        "TE: trailers",
        "Proxy-Authorization: Basic x",
        "Idempotency-Key: mine",
        "Slipring-Signature: t=1,v1=2",
        "slipring-event-number: 7",
        "Authorization: " + MASK,
    ],
)
async def test_a_header_that_could_change_the_message_is_refused_at_its_item(place: Place, header: str) -> None:
    tree = subscription()
    tree["channel"]["header"] = ["X-Fine: 1", header]
    answer = await place.ask("POST", "Subscription", tree)
    assert answer.status_code in (400, 422)
    assert [place.removeprefix("Subscription.") for place in where(answer)] == ["channel.header[1]"]
    assert "evil" not in answer.text and "mine" not in answer.text


def test_a_header_is_named_once() -> None:
    issues = header_issues(["A: 1", "a: 2", "B: 1"])
    assert [(issue.at, issue.detail) for issue in issues] == [
        ("Subscription.channel.header[1]", "kernel.channel-header-twice")
    ]
    assert len(header_issues([f"H{n}: 1" for n in range(21)])) == 1


HEADERS = st.lists(
    st.tuples(
        st.from_regex(r"X-[A-Za-z0-9]{1,8}", fullmatch=True), st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True)
    ),
    max_size=5,
    unique_by=lambda pair: pair[0].lower(),
)


@given(HEADERS)
def test_what_is_sealed_opens_again_and_the_mask_keeps_it(pairs: list[tuple[str, str]]) -> None:
    key = Fernet(Fernet.generate_key())
    listed = [f"{name}: {value}" for name, value in pairs if value != MASK]
    assert header_issues(listed) == []
    kept = sealed(listed, key.encrypt)
    assert dict(opened(kept, key.decrypt)) == {name: value for name, value in pairs if value != MASK}
    assert header_issues(masked(listed), masked(listed)) == []
    assert kept_again(sealed(masked(listed), key.encrypt), kept) == kept


async def test_values_are_sent_and_shown_to_nobody(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hook = Hook(401)
    async with street_of(data_dir, SERVICE, outside=hook) as street:
        place = street["order"]
        tree = subscription()
        tree["channel"]["header"] = [f"Authorization: {TOKEN}", "X-Other:two"]
        raw = json.dumps(tree).replace("a test", "\\u0061 test")
        made = (await place.ask("POST", "Subscription", raw)).json()
        assert made["channel"]["header"] == [f"Authorization: {MASK}", f"X-Other: {MASK}"]
        reference = f"Subscription/{made['id']}"
        text = (await place.ask("GET", reference)).text
        assert "\\u0061 test" in text  # everything else keeps its characters
        await place.running.start()
        await place.make(a_task())
        await until(lambda: delivered(place, 1), 20)
        assert hook.got[-1].headers["Authorization"] == TOKEN
        assert hook.got[-1].headers["X-Other"] == "two"
        changed = {**made, "reason": "another reason"}  # with the masks as they were read
        assert (await place.ask("PUT", reference, changed)).status_code == 200
        patch = [{"op": "replace", "path": "/reason", "value": "a third"}]
        patched = await place.ask(
            "PATCH",
            reference,
            patch,
            headers={"Content-Type": "application/json-patch+json", "Prefer": "return=representation"},
        )
        assert patched.status_code == 200, patched.text
        await place.make(a_task())
        await until(lambda: delivered(place, 2), 20)
        assert hook.got[-1].headers["Authorization"] == TOKEN
        renewed = {**made, "channel": {**made["channel"], "header": ["Authorization: Bearer new"]}}
        await place.ask("PUT", reference, renewed)
        await place.make(a_task())
        await until(lambda: delivered(place, 3), 20)
        assert hook.got[-1].headers["Authorization"] == "Bearer new" and "X-Other" not in hook.got[-1].headers
        gone = {**renewed, "channel": {**made["channel"], "header": [f"X-Other: {MASK}"]}}
        refused = await place.ask("PUT", reference, gone)
        assert (refused.status_code, where(refused)) == (422, ["Subscription.channel.header[0]"])
        seen = [patched.text, refused.text]
        for path in (
            reference,
            f"{reference}/_history",
            f"{reference}/_history/1",
            "Subscription?_count=50",
            "Subscription/_history",
        ):
            seen.append((await place.ask("GET", path)).text)
        for table in ("version", "subscription", "delivery", "outbox", "audit"):
            seen += [str(dict(row)) for row in await place.rows(f"SELECT * FROM {table}")]
    seen += list(capfd.readouterr())
    assert not [text for text in seen if "eyJ-not-for-you" in text or "Bearer new" in text]


async def test_values_in_transactions_are_masked_as_well(place: Place) -> None:
    tree: Any = subscription()
    tree["channel"]["header"] = [f"Authorization: {TOKEN}"]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:5c0ab2f2-3c1e-4b0e-9c59-0a8a5e6f6d10",
                "resource": tree,
                "request": {"method": "POST", "url": "Subscription"},
            },
            {"request": {"method": "GET", "url": "Subscription?_count=50"}},
        ],
    }
    answer = await place.ask("POST", "", bundle, headers={"Prefer": "return=representation"})
    assert answer.status_code == 200, answer.text
    assert TOKEN not in answer.text and f"Authorization: {MASK}" in answer.text
    rows = await place.rows("SELECT headers FROM subscription ORDER BY life_at DESC LIMIT 1")
    assert rows[0]["headers"][0].startswith("Authorization: sealed:v1:")
