"""The headers a subscriber wants to find on his notifications: checked, kept sealed, shown masked.

Their values are secrets (a bearer token among them): whoever may read the Subscription must not be able to send in its
name. So the stored text holds a mask, and a client that sends the mask back means the value that is kept.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from slipring.fhir.outcome import Issue

MASK = "********"
_SEALED = "sealed:v1:"
_MOST, _LONGEST = 20, 4096
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", re.ASCII)  # a token (RFC 9110 5.6.2)
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?", re.ASCII)  # a field value (RFC 9110 5.5) in ASCII


def header_issues(listed: Sequence[object], before: Sequence[object] = ()) -> list[Issue]:
    """What is wrong with `channel.header`, at each of its items; `before`: those of the version that stands."""
    kept = {name.lower() for name, _ in (parted(one) for one in before if isinstance(one, str))}
    seen: set[str] = set()
    found = []
    for position, one in enumerate(listed):
        at = f"Subscription.channel.header[{position}]"
        name, value = parted(one) if isinstance(one, str) else ("", "")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or len(value) > _LONGEST or position >= _MOST:
            found.append(_malformed(at))
        elif _ours(name.lower()):
            found.append(_not_yours(at))
        elif name.lower() in seen:
            found.append(_twice(at))
        elif value == MASK and name.lower() not in kept:
            found.append(_nothing_kept(at))
        seen.add(name.lower())
    return found


def parted(header: str) -> tuple[str, str]:
    """Name and value of `Name: value`."""
    name, _, value = header.partition(":")
    return name, value.strip(" ")


def masked(listed: Sequence[str]) -> list[str]:
    """What is stored and served."""
    return [f"{parted(one)[0]}: {MASK}" for one in listed]


def sealed(listed: Sequence[str], seal: Callable[[bytes], bytes]) -> list[str]:
    """What the lane keeps: each value encrypted; a mask stays one until the lane puts in what it has."""
    parts = [parted(one) for one in listed]
    return [f"{n}: {MASK}" if v == MASK else f"{n}: {_SEALED}{seal(v.encode()).decode()}" for n, v in parts]


def kept_again(listed: Sequence[str], standing: Sequence[str]) -> list[str]:
    """The lane's headers with what stands in it wherever a mask was sent."""
    have = {parted(one)[0].lower(): parted(one)[1] for one in standing}
    parts = [parted(one) for one in listed]
    return [f"{n}: {have[n.lower()]}" if v == MASK and n.lower() in have else f"{n}: {v}" for n, v in parts]


def opened(listed: Sequence[str], unseal: Callable[[bytes], bytes]) -> Mapping[str, str]:
    """The headers as they are sent; those of a release that did not seal are as they stand."""
    parts = [parted(one) for one in listed]
    return {n: unseal(v[len(_SEALED) :].encode()).decode() if v.startswith(_SEALED) else v for n, v in parts}


def _ours(name: str) -> bool:
    names, beginnings = _data()
    return name in names or name.startswith(beginnings)


@cache
def _data() -> tuple[frozenset[str], tuple[str, ...]]:
    with Path(__file__).with_name("channel_headers.toml").open("rb") as file:
        told = tomllib.load(file)
    return frozenset(name for group in told["group"] for name in group["names"]), tuple(told["beginnings"])


def _malformed(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="header 的格式为“名称: 值”：名称为 HTTP 标记，值为可见 ASCII 字符，不含控制字符；最多 20 个。",
        en="A header is `Name: value`: an HTTP token, and visible ASCII without control characters; 20 at most.",
        at=at,
        detail="kernel.channel-header",
    )


def _not_yours(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="该 header 由发送方或连接本身使用，不能由订阅设置。",
        en="This header belongs to the connection or to the sender and cannot be set by a subscription.",
        at=at,
        detail="kernel.channel-header-not-yours",
    )


def _twice(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="同名 header 只能填写一次。",
        en="A header is named once.",
        at=at,
        detail="kernel.channel-header-twice",
    )


def _nothing_kept(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="星号表示保留已存的值，但该 header 没有已存的值；请填写完整的值。",
        en="The mask stands for the value that is kept, and none is kept for this header: write the value.",
        at=at,
        detail="kernel.channel-header-not-kept",
    )
