"""What is wrong with an event of a calendar, in words: each by its line and UID, none of it what SUMMARY says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slipring.fhir.outcome import Issue

from slipring_critical.directory.ical_lines import Fault

_SEEN = "…"  # stands for a name of RFC 5545, a number, a time or a zone


def _says(reason: str, zh: str, en: str) -> tuple[str, Issue]:
    return reason, Issue("business-rule", zh=zh, en=en, at="", detail=f"critical.import-{reason}")


_SAYS: Mapping[str, Issue] = dict(
    (
        _says("calendar", "不是可读取的日历（须为一个含有 VEVENT 的 VCALENDAR）。", "This is no calendar: one VCALENDAR with events."),
        _says("line", "该行不符合 iCalendar 格式。", "This is no line of iCalendar."),
        _says("component", "值班表只接收 VEVENT，不接收 …。", "A roster takes events (VEVENT), not …."),
        _says("events", "事件超过 … 个。", "There are more than … events."),
        _says("shifts", "班次超过 … 个。", "There are more than … shifts."),
        _says("uid", "事件没有 UID，或 UID 过长。", "The event has no UID, or one that is too long."),
        _says("uid-twice", "该 UID 出现两次。", "This UID is given twice."),
        _says("property", "… 缺失或无法读取。", "… is missing or cannot be read."),
        _says("zone", "时区未知：…。", "The time zone is not known: …."),
        _says("rule", "RRULE 的 … 不被接受；值班按日、周、月或年重复，一天内的班次请分别写成事件。",
              "RRULE: this … is not taken; shifts repeat by day, week, month or year; those of one day are events of their own."),
        _says("series", "该事件自相矛盾，无法展开。", "The event contradicts itself and cannot be unfolded."),
        _says("hours", "结束须晚于开始，且班次不能过长。", "It ends after it begins, and is not longer than a shift may be."),
        _says("no-such-time", "该地方时间不存在（夏令时切换时被跳过）：…。", "The clock jumps over this local time: …."),
        _says("time", "读取超出时间或内存限制；请检查此处的重复规则。", "Reading took too long: look at the rule of repetition here."),
        _says("nobody", "不知道是谁：ATTENDEE 邮箱、工号或姓名均与在册人员不符；可用对照表（person）指明。",
              "It is not known who is meant, by address, staff number or name: say so by a table (person)."),
        _says("several", "所指人员不止一人；请用 ATTENDEE 或对照表（person） 指明。",
              "More than one may be meant: say who by ATTENDEE or a table."),
        _says("declined", "有参加者已谢绝（PARTSTAT=DECLINED）。", "An attendee has declined (PARTSTAT=DECLINED)."),
        _says("more", "还有更多问题，此处不再列出。", "More is wrong than is listed here."),
    )
)  # fmt: skip


def issue_of(fault: Fault, at: str) -> Issue:
    """A fault of a file at the parameter that holds it."""
    says = _SAYS[fault.reason]
    zh, en = (words.replace(_SEEN, fault.seen) for words in (says.zh, says.en))
    if fault.line:
        of = f" (UID {fault.uid})" if fault.uid else ""
        zh, en = f"第 {fault.line} 行{of}：{zh}", f"Line {fault.line}{of}: {en}"
    return replace(says, zh=zh, en=en, at=at)
