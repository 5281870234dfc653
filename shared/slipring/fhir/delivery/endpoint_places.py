"""Lists of hosts and networks, and the ones that ship: `endpoint_policy.toml`. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PATTERN = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Places:
    """Hosts and networks as a setting lists them: `his.example`, `*.lab.example`, `10.1.2.3`, `10.0.0.0/8`."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @staticmethod
    def of(listed: Iterable[str]) -> Places:
        """Read a list; raises ValueError with the entry that is neither a name nor a network."""
        names, networks = set(), []
        for entry in (item.strip().lower() for item in listed):
            try:
                networks.append(ip_network(entry.strip("[]")))
            except ValueError:
                if not _PATTERN.fullmatch(entry) or is_number(entry):
                    raise ValueError(entry) from None
                names.add(entry)
        return Places(frozenset(names), tuple(networks))

    def name(self, host: str) -> bool:
        """Whether a host is listed by its name or by `*.` and one above it."""
        steps = host.split(".")
        above = ("*." + ".".join(steps[place:]) for place in range(1, len(steps)))
        return host in self.names or any(pattern in self.names for pattern in above)

    def address(self, address: Address) -> bool:
        """Whether an address lies in a network listed."""
        return any(within(address, network) for network in self.networks)

    def meant(self, address: Address, around: Network) -> bool:
        """The same, by an entry that names the forbidden range or a part of it: a wider one does not mean it."""
        return any(within(address, n) and _part_of(n, around) for n in self.networks)


NOWHERE = Places()


@dataclass(frozen=True, slots=True)
class Ports:
    """Which ports web services have."""

    web: frozenset[int]
    lowest: int
    refused: frozenset[int]


@dataclass(frozen=True, slots=True)
class Shipped:
    """What `endpoint_policy.toml` says; each range and name with its kind."""

    ranges: Sequence[tuple[str, Network]]
    embedding: Sequence[Network]
    private: Sequence[Network]
    names: Sequence[tuple[str, Places]]
    ports: Ports


@cache
def shipped() -> Shipped:
    """The file, read once."""
    with Path(__file__).with_name("endpoint_policy.toml").open("rb") as file:
        told: dict[str, Any] = tomllib.load(file)
    return Shipped(
        [(one["kind"], ip_network(network)) for one in told["range"] for network in one["networks"]],
        [ip_network(network) for network in told["embedding"]["networks"]],
        [ip_network(network) for network in told["private"]["networks"]],
        [(one["kind"], Places(frozenset(one["names"]))) for one in told["name"]],
        Ports(frozenset(told["ports"]["web"]), told["ports"]["lowest"], frozenset(told["ports"]["refused"])),
    )


def embedded(address: Address) -> list[Address]:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv4Address) or not any(address in network for network in shipped().embedding):
        return []
    return [IPv4Address(int(address) & 0xFFFFFFFF)]


def within(address: Address, network: Network) -> bool:
    """Whether a network of the same family holds an address."""
    return address.version == network.version and address in network


def _part_of(network: Network, around: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(around, IPv4Network) and network.subnet_of(around)
    return isinstance(around, IPv6Network) and network.subnet_of(around)


def is_number(host: str) -> bool:
    """Whether a host is an address by WHATWG URL 3.5: what it ends in is a number, whatever stands before it."""
    return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
