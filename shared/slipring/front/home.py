"""The front's own page: what runs where, and whether it is a demo."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template

from slipring.front.owners import Owners

_BANNER = (
    '<p class="demo">演示：数据均为虚构，不得用于诊疗。<br>'
    '<span lang="en">DEMO: synthetic people only, not for patient care.</span></p>'
)


def home_page(owners: Owners, up: Mapping[str, bool], base: str, *, demo: bool) -> str:
    """The page as HTML; it shows no patient and needs no token."""
    template = Template(resources.files("slipring.front").joinpath("home.html").read_text("utf-8"))
    rows = [_row(service, _kept(service, owners), up[service]) for service in up]
    return template.substitute(
        rows="\n".join(rows),
        base=escape(base),
        demo_banner=_BANNER if demo else "",
        demo_title=" · DEMO 演示" if demo else "",
    )


def _kept(service: str, owners: Owners) -> list[str]:
    return [kept_type for kept_type in owners.types if service in owners.keepers_of(kept_type)]


def _row(service: str, kept: list[str], up: bool) -> str:
    state = "运行 <span lang='en'>up</span>" if up else "<span class='down'>不可用 <span lang='en'>down</span></span>"
    address = f"/{service}/fhir"
    return f"<tr><td>{service}<br><code>{address}</code></td><td>{', '.join(kept)}</td><td>{state}</td></tr>"
