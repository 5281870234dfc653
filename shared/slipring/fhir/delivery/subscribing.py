"""Whether a Subscription can be honoured: everything that it asks for is offered, or it is refused at that element.

Plain R4 criteria are a search whose every part can be judged on one resource. A Backport subscription names a topic of
this service and narrows it by filters that the topic offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from urllib.parse import parse_qsl

from slipring.fhir.delivery import lane
from slipring.fhir.delivery.channel import check_channel, check_topical
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.outcome import FhirError, forbidden, unprocessable
from slipring.fhir.search.criteria import CONTROLS, Chain, Criteria, Has, parse
from slipring.fhir.search.include import INCLUDES
from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.fhir.topics import Topic


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The write handler of Subscription for a service that keeps these types and offers these topics."""

    kept: frozenset[str]
    topics: Mapping[str, Topic]  # by canonical address
    zone: tzinfo
    endpoints: EndpointPolicy

    async def __call__(self, write: Write, desk: Desk) -> Changes:
        """Only a subscription that can be honoured is accepted; whoever asks must be allowed to read what it tells."""
        if write.method == "delete":
            return Changes.none()
        asked = write.resource
        members = _status(write)
        _check_end(asked, desk.now)
        check_channel(write, self.endpoints)
        types = self._topical(asked) if lane.is_topical(asked) else self._plain(asked)
        if asked.get("status") != "off":
            for resource_type in types:
                _demand(desk, resource_type)
        return Changes(members=members)

    def _plain(self, asked: Resource) -> tuple[str, ...]:
        resource_type, _, text = asked.get("criteria", "").partition("?")
        if resource_type not in self.kept:
            raise unprocessable(
                f"No events exist here for {resource_type[:64]}; for these: {', '.join(sorted(self.kept))}.",
                f"此处没有 {resource_type[:64]} 的事件；可订阅：{'、'.join(sorted(self.kept))}。",
                at="Subscription.criteria",
                detail="kernel.no-such-events",
            )
        self._readable(resource_type, text, "Subscription.criteria")
        return (resource_type,)

    def _topical(self, asked: Resource) -> tuple[str, ...]:
        topic = self.topics.get(asked.get("criteria", "").partition("|")[0])
        if topic is None or ("|" in asked["criteria"] and not asked["criteria"].endswith("|1")):
            known = ", ".join(sorted(self.topics)) or "-"
            raise unprocessable(
                f"This topic is not offered here; offered: {known}.",
                f"此处没有该主题；可订阅的主题：{known}。",
                at="Subscription.criteria",
                detail="kernel.no-such-topic",
            )
        for position, text in enumerate(lane.filters_of(asked)):
            self._check_filter(topic, text, f"Subscription.criteria.extension[{position}]")
        check_topical(asked)
        return topic.resources

    def _check_filter(self, topic: Topic, text: str, at: str) -> None:
        """A filter is `Type?parameter=value` of the topic's canFilterBy."""
        resource_type, mark, query = text.partition("?")
        offered = {(one.resource, one.parameter): one for one in topic.filters}
        pairs = parse_qsl(query, keep_blank_values=True) if mark else []
        for name, _ in pairs:
            code, _, modifier = name.partition(":")
            found = offered.get((resource_type, code))
            if found is None or (modifier and modifier not in found.modifiers):
                raise _no_such_filter(topic, at)
        if not pairs:
            raise _no_such_filter(topic, at)
        self._readable(resource_type, query, at)

    def _readable(self, resource_type: str, text: str, at: str) -> Criteria:
        """The search, every condition of which looks at the resource alone."""
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=100)
            asked = parse(resource_type, pairs, zone=self.zone, types=self.kept)
        except ValueError as error:
            raise _not_criteria(at) from error
        except FhirError as error:
            raise FhirError(422, [replace(issue, at=at) for issue in error.issues]) from error
        beyond = [name for name, _ in asked.pairs if name in CONTROLS or name in INCLUDES]
        beyond += [name for name, _ in asked.pairs if "." in name or name.startswith("_has:")]
        if beyond or any(isinstance(one, Chain | Has) for one in asked.clauses):
            named = ", ".join(dict.fromkeys(beyond))
            raise unprocessable(
                f"An event is judged by its resource alone: no {named} here. What asks about other resources or says how "
                "an answer looks cannot be honoured.",
                f"事件只依据资源本身判断，不能使用 {named}：不支持链式条件、_has 以及 _sort、_count、_include 等结果参数。",
                at=at,
                detail="kernel.criteria-with-controls",
            )
        return asked


def _status(write: Write) -> dict[str, str]:
    """The client asks for `requested` or `off`; what else it sends back must be what it was shown (R4 Subscription.status)."""
    status, before = write.resource.get("status"), write.before
    echoed = before is not None and before.resource.get("status") != "off"
    if status in ("requested", "off") or echoed:
        return {}
    raise unprocessable(
        "A client asks for `requested` or `off`; `active` and `error` are ours to say.",
        "客户端只能填 requested 或 off；active 和 error 由服务器设置。",
        at="Subscription.status",
        detail="kernel.subscription-status",
    )


def _demand(desk: Desk, resource_type: str) -> None:
    if not desk.caller.allows(resource_type, "r"):
        raise forbidden(
            f"Who subscribes must be allowed to read {resource_type}.",
            f"订阅者须有读取 {resource_type} 的权限。",
            at="Subscription.criteria",
            detail="kernel.subscriber-may-not-read",
        )


def _check_end(asked: Resource, now: datetime) -> None:
    end = asked.get("end")
    if end and asked.get("status") != "off" and datetime.fromisoformat(end) <= now:
        raise unprocessable(
            "The end of this subscription has passed.",
            "该订阅的结束时间已过。",
            at="Subscription.end",
            detail="kernel.subscription-ended",
        )


def _no_such_filter(topic: Topic, at: str) -> FhirError:
    offered = ", ".join(
        f"{one.resource}?{one.parameter}{f'[:{one.modifiers[0]}]' if one.modifiers else ''}=" for one in topic.filters
    )
    return unprocessable(
        f"The topic can be filtered by: {offered}.",
        f"该主题可用的过滤条件：{offered}。",
        at=at,
        detail="kernel.no-such-filter",
    )


def _not_criteria(at: str) -> FhirError:
    return unprocessable(
        "Criteria are written as Type?parameter=value&...",
        "条件的写法为：资源类型?参数=值&…",
        at=at,
        detail="kernel.not-criteria",
    )
