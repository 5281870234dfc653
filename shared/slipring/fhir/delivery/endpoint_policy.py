"""Where notifications may go: schemes, ports, names and addresses, judged the same when saved and when connected to. Pure.

A name says nothing about where it leads, so whoever connects asks again with every address it resolved to.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address

from slipring.fhir.delivery.endpoint_places import (
    NOWHERE,
    Address,
    Network,
    Places,
    embedded,
    is_number,
    shipped,
    within,
)
from slipring.fhir.outcome import Issue
from slipring.runtime.settings import BadSettings, Settings

# RFC 3986 without what only hides the host: no user, no fragment, no escapes or backslashes before the path.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9\-._~%!$&'()*+,;=:@/]*)?(?:\?[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*)?",
    re.ASCII | re.IGNORECASE,
)
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an endpoint's address that decide."""

    scheme: str
    host: str  # lower case, without brackets and without the final dot
    port: int

    @property
    def literal(self) -> Address | None:
        """The address that the host is, None for a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


@dataclass(frozen=True)
class EndpointPolicy:
    """What a deployment allows: the ranges of `endpoint_policy.toml` and its own lists.

    `only`: nothing else may be notified. `denied`: never. `exempt`: plain http and any port for these; a network that
    lies in a forbidden range takes it back. `trusted`: host and port as the operator wrote them, for connections only.
    """

    demo: bool = False
    only: Places = NOWHERE
    denied: Places = NOWHERE
    exempt: Places = NOWHERE
    trusted: frozenset[tuple[str, int]] = frozenset()

    @staticmethod
    def stated(
        *,
        demo: bool = False,
        only: Iterable[str] = (),
        denied: Iterable[str] = (),
        exempt: Iterable[str] = (),
        trusted: Iterable[str] = (),
    ) -> EndpointPolicy:
        """The policy of these lists; raises ValueError with the entry that cannot be read."""
        targets = [target for address in trusted if (target := target_of(address))]
        own = frozenset((target.host, target.port) for target in targets)
        return EndpointPolicy(demo, Places.of(only), Places.of(denied), Places.of(exempt), own)

    @staticmethod
    def of(settings: Settings, *, demo: bool) -> EndpointPolicy:
        """The policy as an installation states it: what the operator himself names as an address is not judged."""
        lists = {name: settings.listed(f"endpoints_{name}") for name in ("only", "denied", "exempt")}
        try:
            return EndpointPolicy.stated(demo=demo, **lists, trusted=[settings.fallback_route])
        except ValueError as error:
            raise BadSettings(
                f"SLIPRING_ENDPOINTS_...: {error} is no name, address or network. 既不是主机名，也不是地址或网段。"
            ) from None

    def judge(self, address: str, at: str) -> Issue | None:
        """What is wrong with an endpoint as it is written; None = nothing that can be told without resolving it."""
        target = target_of(address)
        if target is None:
            return _no_address(at)
        if target.literal is not None:
            return self._address(target, target.literal, at)
        if is_number(target.host):
            return _no_address(at)
        return self._name(target, at) or self._port(target, at)

    def judge_connection(self, target: Target, address: Address) -> Issue | None:
        """The same for one address that the host is or resolved to: the connection goes to exactly this one."""
        return None if (target.host, target.port) in self.trusted else self._address(target, address, "")

    def _address(self, target: Target, address: Address, at: str) -> Issue | None:
        named = self._name(target, at) if target.literal is None else None
        if named:
            return named
        for one in (address, *embedded(address)):
            found = next(((kind, network) for kind, network in shipped().ranges if within(one, network)), None)
            if found and not self._opened(*found, one):
                return _forbidden(at, found[0])
            if self.denied.address(one):
                return _forbidden(at, "denied")
        if self._bound and not (self.only.name(target.host) or self.only.address(address)):
            return _not_listed(at)
        if target.scheme == "http" and not self._plain(target, address):
            return _plain_http(at)
        return self._port(target, at, address)

    @cached_property
    def _bound(self) -> bool:
        return bool(self.only.names or self.only.networks)

    def _opened(self, kind: str, network: Network, address: Address) -> bool:
        return (kind == "loopback" and self.demo) or self.exempt.meant(address, network)

    def _name(self, target: Target, at: str) -> Issue | None:
        for kind, names in shipped().names:
            if names.name(target.host) and not (kind == "loopback" and self.demo) and not self.exempt.name(target.host):
                return _forbidden(at, kind)
        if self.denied.name(target.host):
            return _forbidden(at, "denied")
        if self.only.names and not self.only.networks and not self.only.name(target.host):
            return _not_listed(at)
        return None

    def _plain(self, target: Target, address: Address) -> bool:
        inside = any(within(one, n) for one in (address, *embedded(address)) for n in shipped().private)
        return self.demo or inside or self.exempt.name(target.host) or self.exempt.address(address)

    def _port(self, target: Target, at: str, address: Address | None = None) -> Issue | None:
        ports = shipped().ports
        free = self.exempt.name(target.host) or (address is not None and self.exempt.address(address))
        usual = target.port in ports.web or (ports.lowest <= target.port <= 65535 and target.port not in ports.refused)
        return None if usual or (free and 0 < target.port <= 65535) else _wrong_port(at)


def target_of(address: str) -> Target | None:
    """The parts of an address; None when it is no plain http(s) address."""
    match = _URL.fullmatch(address) if len(address) <= _LONGEST else None
    if match is None:
        return None
    scheme, host = match["scheme"].lower(), match["host"].lower().removesuffix(".")
    port = int(match["port"]) if match["port"] else {"http": 80, "https": 443}[scheme]
    if host.startswith("["):
        try:
            host = str(IPv6Address(host[1:-1]))
        except ValueError:
            return None
    return Target(scheme, host, port) if host and ".." not in host else None


# --- the refusals -------------------------------------------------------------------------------------------


def _no_address(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="endpoint 须为 http(s) 地址，按通常形式书写：主机名（国际域名用 xn-- 形式）或点分十进制 IPv4、方括号内 IPv6；不含用户名、片段。",
        en="The endpoint is an http(s) address in its usual form: a name (international ones as xn--), a dotted IPv4 or a bracketed "
        "IPv6 address, without user and fragment.",
        at=at,
        detail="kernel.endpoint-address",
    )


def _forbidden(at: str, kind: str) -> Issue:
    return Issue(
        "business-rule",
        zh=f"该地址不允许作为通知端点（{kind}）。",
        en=f"This address may not be notified ({kind}).",
        at=at,
        detail="kernel.endpoint-forbidden",
    )


def _not_listed(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="此处只通知列入名单的地址（SLIPRING_ENDPOINTS_ONLY）。",
        en="Only listed addresses are notified here (SLIPRING_ENDPOINTS_ONLY).",
        at=at,
        detail="kernel.endpoint-not-listed",
    )


def _plain_http(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="出院区网络的地址须用 https。",
        en="An address outside private networks is notified by https only.",
        at=at,
        detail="kernel.endpoint-plain-http",
    )


def _wrong_port(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="该端口不用于网页服务：可用 80、443 及 1024 以上未保留的端口。",
        en="No web service is expected at this port: 80, 443 and most from 1024 on are.",
        at=at,
        detail="kernel.endpoint-port",
    )
