"""The fast reader takes only what the strict one reads the same way."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slipring.fhir.plain_json import PlainReader

_DEPTH = 8
_READER = PlainReader(Decimal)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a name is given twice")
    return tree


_strict = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal).decode


def _depth(tree: Any) -> int:
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if below is None else 1 + max(map(_depth, below), default=0)


_BLANK = st.sampled_from(["", "", " ", "\n", "\t "])
_NAME = st.sampled_from(['"a"', '"b"', '"\\u0061"', '":"', '"\\":"', '"é"'])
_SCALAR = st.sampled_from(
    [
        "1",
        "-0",
        "1.50",
        "1e5",
        "1E400",
        "9" * 20,
        "9" * 70,
        "null",
        "true",
        '"x"',
        '":"',
        '"\\":"',
        '"\\u003a"',
        '"\\/"',
    ]
)


@st.composite
def _text(draw: st.DrawFn, depth: int = 3) -> str:
    def blank() -> str:
        return draw(_BLANK)

    kind = draw(st.sampled_from(["scalar", "object", "list"])) if depth else "scalar"
    if kind == "scalar":
        return blank() + draw(_SCALAR) + blank()
    items = [draw(_text(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == "list":
        return blank() + "[" + ",".join(items) + "]" + blank()
    return blank() + "{" + ",".join(f"{blank()}{draw(_NAME)}{blank()}:{item}" for item in items) + "}"


@given(_text())
@example('{"a":1,"a":2,"b":"\\u003ax"}')
@example('{"a":1,"a":1}')
@example('{"a":1,"\\u0061":1}')
@example('{"a" :1,"b":":"}')
def test_what_is_taken_is_what_the_strict_reader_finds(text: str) -> None:
    tree = _READER.read(text.encode(), _DEPTH)
    if tree is not None:
        assert repr(tree) == repr(_strict(text))
        assert _depth(tree) <= _DEPTH


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType": "Patient", "active": true, "name": [{"text": "张伟"}], "multipleBirthInteger": 2}',
        '{"text":{"div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a\\nb</div>"},"valueDecimal":1.50}',
        '{\n  "a": {\n    "b": []\n  }\n}\n',
    ],
)
def test_the_usual_resource_is_taken(text: str) -> None:
    assert _READER.read(text.encode(), _DEPTH) == _strict(text)


@pytest.mark.parametrize(
    "text", ["", "[1]", '"x"', '{"a":NaN}', '{"a":"\ud800"}', "\ufeff{}", '{"a":"\\ud800"}', '{"a":1}x']
)
def test_what_is_no_object_or_no_json_is_left_to_the_strict_reader(text: str) -> None:
    assert _READER.read(text.encode("utf-8", "surrogatepass"), _DEPTH) is None


@given(st.integers(60, 70), st.integers(0, 20), st.sampled_from(["", "-"]))
def test_a_whole_number_of_64_digits_is_left_to_the_strict_reader(digits: int, before: int, sign: str) -> None:
    read = _READER.read(('{"' + "n" * before + '":' + sign + "1" * digits + "}").encode(), _DEPTH)
    assert read is None or digits < 64
    assert read is not None or digits >= 56


@pytest.mark.parametrize("opened", ['{"a":', "["])
def test_depth_is_counted_as_levels(opened: str) -> None:
    closed = "}" if opened[0] == "{" else "]"

    def nested(levels: int) -> bytes:
        return ('{"r":' + opened * levels + "1" + closed * levels + "}").encode()

    assert _READER.read(nested(_DEPTH - 2), _DEPTH) is not None
    assert _READER.read(nested(_DEPTH), _DEPTH) is None
    assert _READER.read(nested(100_000), _DEPTH) is None
