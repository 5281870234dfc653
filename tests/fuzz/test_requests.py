"""hypothesis against the running department: strange searches, bodies, headers, patches, Bundles, cursors and paths.

Whatever comes: no fault of the server, a refusal is an OperationOutcome, and nothing of a refused write is stored.
"""

from __future__ import annotations

import json
import string
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from slipring.fhir.search.parameter import parameters_for

from tests.requirements.address import KEPT, MORE
from tests.support.department import Department, open_department
from tests.support.shapes import definitions, smallest

BASES = ["order", "consent", "report", "critical", "front"]
KINDS = sorted({kind for kept in KEPT.values() for kind in kept})
FUZZED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
junk = st.text(max_size=24)
strange = st.sampled_from(
    ["\x00", "\ud800", "%", "%zz", "|", "$", ",", "\\", "||", "a|b|c|d", "-", "1e400", "NaN", "9" * 70, "../..", "';--"]
)
bases = st.sampled_from(BASES)
kinds = st.sampled_from([*KINDS, "Basic", "patient", "_history", "$x"])


@pytest.fixture(scope="module")
async def wards(data_dir: Path) -> AsyncIterator[Department]:
    """A department of its own, whose rows are counted."""
    async with open_department(data_dir, prefix="fuzz_") as opened:
        yield opened


async def rows(wards: Department) -> list[int]:
    """How many rows each service holds of what a write makes."""
    counted = []
    for running in wards.house.services.values():
        for table in ("version", "business_key", "outbox"):
            counted.append(await running.kernel.store.pool.fetchval(f"SELECT count(*) FROM {table}"))
    return counted


async def unchanged(wards: Department, before: list[int], again: Callable[[], Awaitable[httpx.Response]]) -> None:
    """Nothing was stored. Copies and reactions of earlier requests arrive late: when in doubt, ask again at rest."""
    if await rows(wards) != before:
        await wards.settle()
        before = await rows(wards)
        answer = await again()
        await wards.settle()
        assert await rows(wards) == before, answer.text[:300]


async def ask(
    wards: Department, base: str, method: str, path: str, content: Any = None, **headers: str
) -> httpx.Response:
    """One request as strange as it comes; headers go out as bytes."""
    root = "/fhir" if base == "front" else f"/{base}/fhir"
    sent = [(name.replace("_", "-"), value.encode("utf-8", "surrogatepass")) for name, value in headers.items()]
    body = json.dumps(content).encode() if isinstance(content, dict | list) else content
    return await wards.his.request(method, f"{root}/{path}" if path else root, content=body, headers=sent)


def told(answer: httpx.Response) -> None:
    """The answer is no fault, and a refusal says what is wrong."""
    assert answer.status_code < 500, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    )
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        assert "json" in answer.headers.get("content-type", ""), (
            f"{answer.request.method} {answer.request.url} {answer.request.headers}: {answer.status_code} {answer.text[:200]}"
        )
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome", answer.text[:300]
        assert outcome["issue"][0]["details"]["text"]


def a_query(kind: str) -> st.SearchStrategy[str]:
    """A query string: known and unknown names, modifiers that may not fit, values of any type."""
    names = st.sampled_from(
        [*parameters_for(kind), "_sort", "_count", "_include", "_revinclude", "_has", "_total", "nonsense"]
    )
    modifiers = st.sampled_from(
        ["", "", "", ":missing", ":exact", ":not", ":in", ":text", ":Patient", ":identifier", ".name", ":x", ":"]
    )
    values = st.one_of(
        strange,
        junk,
        st.sampled_from(
            [
                "true",
                "ge2026",
                "eq2026-02-30",
                "2026-01-01T00:00:00Z",
                "gt5.40|http://unitsofmeasure.org|mg",
                "Patient/1",
            ]
        ),
        st.sampled_from(
            [
                "Patient:link",
                "*",
                "Observation:patient:_id",
                "urn:x|1",
                "a$b",
                "http://x/y",
                "-date",
                "_id,-_lastUpdated",
            ]
        ),
        st.dates().map(str),
        st.decimals(allow_nan=False, allow_infinity=False).map(str),
    )
    escaped = values.map(lambda value: quote(value.encode("utf-8", "surrogatepass")))
    pair = st.tuples(names, modifiers, escaped).map(lambda p: f"{p[0]}{p[1]}={p[2]}")
    return st.lists(
        st.one_of(pair, junk.map(lambda text: quote(text, safe="&=%", errors="replace"))), min_size=1, max_size=4
    ).map("&".join)


@FUZZED
@given(data=st.data(), base=bases, kind=st.sampled_from(KINDS))
async def test_any_search_is_answered_or_refused(wards: Department, data: st.DataObject, base: str, kind: str) -> None:
    query = data.draw(a_query(kind))
    told(await ask(wards, base, "GET", f"{kind}?{query}"))
    told(
        await ask(
            wards, base, "POST", f"{kind}/_search", query.encode(), Content_Type="application/x-www-form-urlencoded"
        )
    )


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    strange,
).filter(lambda leaf: not (isinstance(leaf, str) and "\ud800" in leaf))
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A valid resource with one to three members replaced, added or taken away."""
    kind = draw(st.sampled_from(KINDS))
    resource: dict[str, Any] = {**smallest(kind), **MORE.get(kind, {})}
    for _ in range(draw(st.integers(1, 3))):
        member = draw(
            st.sampled_from([*definitions()[kind]["properties"], "id", "meta", "contained", "extension", "nonsense"])
        )
        if draw(st.booleans()):
            resource[member] = draw(trees)
        else:
            resource.pop(member, None)
    return kind, resource


@FUZZED
@given(case=mutated(), base=bases, by_id=st.booleans())
async def test_a_body_that_is_refused_leaves_nothing_behind(
    wards: Department, case: tuple[str, dict[str, Any]], base: str, by_id: bool
) -> None:
    kind, resource = case
    before = await rows(wards)
    path = (
        f"{kind}/{resource.get('id', 'x')}"
        if by_id and isinstance(resource.get("id", "x"), str) and resource.get("id", "x")
        else kind
    )

    async def send() -> httpx.Response:
        return await ask(
            wards, base, "PUT" if "/" in path else "POST", quote(path), resource, Content_Type="application/fhir+json"
        )

    answer = await send()
    told(answer)
    if answer.status_code == 400 and "resourceType" in resource:
        assert any(issue.get("expression") for issue in answer.json()["issue"]), answer.text[:400]
    if answer.status_code in (400, 404, 405, 413, 415):
        await unchanged(wards, before, send)


@FUZZED
@given(
    body=st.one_of(
        st.binary(max_size=60),
        junk.map(lambda t: t.encode("utf-8", "replace")),
        trees.map(lambda t: json.dumps(t).encode()),
    ),
    base=bases,
    path=st.sampled_from(
        ["", "Patient", "Task", "Consent", "DiagnosticReport", "Endpoint", "Task/o-1/$decide", "Patient/$validate"]
    ),
)
@example(body=b"[" * 5000, base="front", path="")
@example(body=b'{"resourceType":"Bundle","type":"batch","entry":' + b"[" * 5000, base="front", path="")
@example(body=b'{"resourceType":"Bundle","type":"batch","entry":[1]}', base="front", path="")
@example(body=b'{"resourceType":"Bundle","type":"transaction","entry":{}}', base="front", path="")
@example(body=b'{"resourceType":"Bundle","type":"transaction","entry":[{"request":1}]}', base="front", path="")
async def test_any_bytes_are_refused_as_a_body(wards: Department, body: bytes, base: str, path: str) -> None:
    before = await rows(wards)

    async def send() -> httpx.Response:
        return await ask(wards, base, "POST", path, body, Content_Type="application/fhir+json")

    answer = await send()
    told(answer)
    assert answer.status_code >= 400, answer.text[:200]
    await unchanged(wards, before, send)


header_values = st.one_of(
    st.text(
        alphabet=string.printable.replace("\r", "").replace("\n", "").replace("\x0b", "").replace("\x0c", ""),
        max_size=30,
    ),
    st.sampled_from(
        [
            'W/"1"',
            "*",
            '"',
            'W/"99999999999999999999"',
            "return=minimal, handling=lenient",
            "handling=",
            "respond-async",
        ]
    ),
    st.sampled_from(
        ["application/fhir+json; charset=latin-1", "application/fhir+xml", ";;", "*/*;q=0", "text/*", "gzip"]
    ),
)
header_names = st.sampled_from(
    [
        "If-Match",
        "If-None-Match",
        "If-None-Exist",
        "If-Modified-Since",
        "Prefer",
        "Accept",
        "Content-Type",
        "Accept-Language",
        "X-Request-Id",
        "Content-Encoding",
        "Accept-Encoding",
    ]
)


@FUZZED
@given(
    headers=st.dictionaries(header_names, header_values, min_size=1, max_size=3),
    base=bases,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
)
async def test_any_headers_are_answered_or_refused(
    wards: Department, headers: dict[str, str], base: str, method: str
) -> None:
    sent = {"Content-Type": "application/fhir+json", **headers}
    body = json.dumps(smallest("Task") | {"id": "o-none"}).encode() if method in ("POST", "PUT", "PATCH") else None
    told(await ask(wards, base, method, "Task" if method == "POST" else "Task/o-none", body, **sent))


@FUZZED
@given(
    value=st.one_of(
        st.text(alphabet=string.printable.strip(), max_size=60),
        st.text(alphabet=string.ascii_letters + ".", max_size=60).map("Bearer {}".format),
    )
)
async def test_any_token_but_a_valid_one_is_401(wards: Department, value: str) -> None:
    for path in ("/fhir/Patient", "/order/fhir/Patient"):
        request = wards.his.build_request("GET", path, headers=[("Authorization", value.encode())])
        answer = await wards.his.send(request, auth=lambda sent: sent)
        assert answer.status_code == 401, answer.text[:200]
        told(answer)


operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]),
        "path": st.one_of(
            st.sampled_from(["", "/", "/id", "/meta", "/status", "/note/-", "/note/0", "/a~2", "/meta/tag/99"]), junk
        ),
    },
    optional={"value": trees, "from": st.one_of(st.sampled_from(["/status", "/meta", ""]), junk)},
)


@FUZZED
@given(patch=st.one_of(st.lists(operations, max_size=4), trees), base=st.sampled_from(["order", "front"]))
async def test_any_patch_fits_or_changes_nothing(wards: Department, patch: Any, base: str) -> None:
    made = (await ask(wards, "order", "POST", "Task", smallest("Task"), Content_Type="application/fhir+json")).json()
    before = await rows(wards)

    async def send() -> httpx.Response:
        return await ask(
            wards,
            base,
            "PATCH",
            f"Task/{made['id']}",
            json.dumps(patch).encode(),
            Content_Type="application/json-patch+json",
        )

    answer = await send()
    told(answer)
    if answer.status_code >= 400 and answer.status_code != 422:
        await unchanged(wards, before, send)
        assert (await ask(wards, base, "GET", f"Task/{made['id']}")).json() == made


entries = st.fixed_dictionaries(
    {},
    optional={
        "fullUrl": st.one_of(
            st.sampled_from(["urn:uuid:6f1f1f0a-0c6e-4a53-9c8e-0d3c7a9f0001", "http://x/Patient/1"]), junk
        ),
        "resource": st.one_of(
            mutated().map(lambda case: case[1]), st.sampled_from([smallest("Patient"), smallest("Task")]), trees
        ),
        "request": st.one_of(
            st.fixed_dictionaries(
                {
                    "method": st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "x"]),
                    "url": st.one_of(
                        st.sampled_from(
                            [
                                "Patient",
                                "Task",
                                "Patient/1",
                                "Task?status=x",
                                "",
                                "/",
                                "Patient?identifier=a|b",
                                "$x",
                                "Patient/$everything",
                            ]
                        ),
                        junk,
                    ),
                },
                optional={
                    "ifMatch": junk,
                    "ifNoneExist": st.one_of(junk, st.just("identifier=urn:x|1")),
                    "ifNoneMatch": junk,
                },
            ),
            trees,
        ),
    },
)


@FUZZED
@given(
    listed=st.lists(entries, max_size=3),
    kind=st.sampled_from(["transaction", "batch", "collection"]),
    base=st.sampled_from(["order", "report", "front"]),
)
async def test_any_bundle_is_done_or_refused_whole(wards: Department, listed: list[Any], kind: str, base: str) -> None:
    before = await rows(wards)

    async def send() -> httpx.Response:
        return await ask(
            wards,
            base,
            "POST",
            "",
            {"resourceType": "Bundle", "type": kind, "entry": listed},
            Content_Type="application/fhir+json",
        )

    answer = await send()
    told(answer)
    if answer.status_code in (400, 404, 412, 413, 415):
        await unchanged(wards, before, send)
    for entry in answer.json().get("entry", ()):
        assert entry.get("response", {}).get("status", "200")[0] != "5", json.dumps(entry)[:500]


@FUZZED
@given(cut=st.integers(0, 400), put=junk, base=bases)
async def test_a_tampered_page_link_is_refused(wards: Department, cut: int, put: str, base: str) -> None:
    for _ in range(3):
        await ask(wards, "order", "POST", "Task", smallest("Task"), Content_Type="application/fhir+json")
    page = (await ask(wards, "order" if base not in ("order", "front") else base, "GET", "Task?_count=1")).json()
    link = next(link["url"] for link in page["link"] if link["relation"] == "next")
    name, _, cursor = link.partition("?")[2].partition("=")
    cut %= len(cursor)
    tampered = cursor[:cut] + put + cursor[cut + 1 + len(put) :]
    if tampered != cursor:
        answer = await ask(wards, base, "GET", f"Task?{name}={quote(tampered, errors='replace')}")
        told(answer)
        assert answer.status_code == 400, f"{tampered!r}"


@FUZZED
@given(
    steps=st.lists(
        st.one_of(kinds, junk, strange, st.sampled_from(["_history", "1", "o-1", "$validate", "_search", "metadata"])),
        max_size=5,
    ),
    base=bases,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
)
async def test_any_path_is_answered_or_refused(wards: Department, steps: list[str], base: str, method: str) -> None:
    path = "/".join(quote(step.encode("utf-8", "surrogatepass"), safe="$") for step in steps)
    told(
        await ask(
            wards,
            base,
            method,
            path,
            b"{}" if method in ("POST", "PUT", "PATCH") else None,
            Content_Type="application/fhir+json",
        )
    )
