"""Reading what `/metrics` says, as Prometheus would."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scraped(client: httpx.AsyncClient, path: str) -> Samples:
    """All samples of one scrape."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


def samples(text: str) -> Samples:
    """The samples of a text, by name and labels."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(found: Samples, name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels."""
    wanted = set(labels.items())
    return sum(number for (one, told), number in found.items() if one == name and wanted <= set(told))


def names(found: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]) -> set[str]:
    """The names of all samples."""
    return {name for name, _ in found}
