"""What a refused search says, in Chinese and English. Names are repeated, values never: they may be patient data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from slipring.fhir.outcome import FhirError, Issue, refusal

_NAME = re.compile(r"[A-Za-z0-9_:.\-]{1,64}", re.ASCII)


def _shown(name: str) -> str:
    """The name as it may stand in a message: a strange one could carry anything."""
    return name if _NAME.fullmatch(name) else "(…)"


def _at(name: str) -> str:
    return f"http.{_shown(name.partition(':')[0])}"


def unknown_parameter(resource_type: str, name: str, valid: Iterable[str]) -> FhirError:
    """400 that names the parameters of the type."""
    listed = ", ".join(valid)
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)} is not a search parameter of {_shown(resource_type)} here. Valid: {listed}.",
        f"{_shown(resource_type)} 没有检索参数 {_shown(name)}。可用参数：{listed}。",
        at=_at(name),
        detail="search.unknown-parameter",
    )


def unknown_modifier(name: str, modifier: str, valid: Iterable[str]) -> FhirError:
    """400 that names the modifiers of the parameter."""
    listed = ", ".join(f":{item}" for item in valid) or "-"
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)} does not take the modifier :{_shown(modifier)}. Valid: {listed}.",
        f"{_shown(name)} 不支持修饰符 :{_shown(modifier)}。可用修饰符：{listed}。",
        at=_at(name),
        detail="search.unknown-modifier",
    )


def unsortable(name: str, valid: Iterable[str]) -> FhirError:
    """400 that names what `_sort` takes."""
    listed = ", ".join(valid)
    return refusal(
        400,
        "not-supported",
        f"_sort does not know {_shown(name)}. Valid: {listed}.",
        f"_sort 不支持 {_shown(name)}。可用：{listed}。",
        at="http._sort",
        detail="search.unsortable",
    )


def bad_value(name: str, en: str, zh: str) -> FhirError:
    """400: the parameter is known, its value is not of the right form."""
    return refusal(
        400,
        "value",
        f"The value of {_shown(name)} is wrong: {en}.",
        f"检索参数 {_shown(name)} 的值有误：{zh}。",
        at=_at(name),
        detail="search.bad-value",
    )


def repeated(name: str) -> FhirError:
    """400: a parameter about the answer was given twice."""
    return bad_value(name, "it may be given once", "只能出现一次")


def unchained(name: str) -> FhirError:
    """400: where chains have no place."""
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)}: a condition here looks at one resource alone; chains and _has are for searches.",
        f"{_shown(name)}：此处的条件只看资源本身，链式参数和 _has 仅用于检索。",
        at=_at(name),
        detail="search.no-chain",
    )


def not_held(name: str, wanted: str, held: Iterable[str]) -> FhirError:
    """400 that names the types of this place: looking for any other would find nothing, silently."""
    listed = ", ".join(sorted(held))
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)}: {_shown(wanted)} is not held here. Held: {listed}.",
        f"{_shown(name)}：此处没有 {_shown(wanted)}。可用类型：{listed}。",
        at=_at(name),
        detail="search.not-held",
    )


def untyped_chain(name: str, code: str, fitting: Iterable[str]) -> FhirError:
    """400: the chain leaves open which type it goes to."""
    listed = ", ".join(f"{_shown(code)}:{one}." for one in sorted(fitting)) or "-"
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)}: no type that {_shown(code)} may name here has this parameter. Possible: {listed}",
        f"{_shown(name)}：{_shown(code)} 可引用的类型都没有此参数。可用：{listed}",
        at=_at(name),
        detail="search.untyped-chain",
    )


def unknown_value_set(name: str, shipped: Iterable[str]) -> FhirError:
    """400 that names the value sets."""
    listed = ", ".join(shipped)
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)}: this value set is not shipped. Shipped: {listed}.",
        f"{_shown(name)}：没有该值集。可用值集：{listed}。",
        at=_at(name),
        detail="search.unknown-value-set",
    )


def unknown_element(resource_type: str, name: str, valid: Iterable[str]) -> FhirError:
    """400 that names the elements of the type."""
    listed = ", ".join(valid)
    return refusal(
        400,
        "not-supported",
        f"_elements: {_shown(resource_type)} has no element {_shown(name)}. Valid: {listed}.",
        f"_elements：{_shown(resource_type)} 没有元素 {_shown(name)}。可用：{listed}。",
        at="http._elements",
        detail="search.unknown-element",
    )


def unknown_include(name: str, valid: Iterable[str]) -> FhirError:
    """400 that names the references that can be followed."""
    listed = ", ".join(valid) or "-"
    return refusal(
        400,
        "not-supported",
        f"{_shown(name)} does not know this reference. Valid: {listed}.",
        f"{_shown(name)} 不支持该引用。可用：{listed}。",
        at=_at(name),
        detail="search.unknown-include",
    )


def ignored(names: Iterable[str]) -> Issue:
    """What a lenient search left out, told beside the matches."""
    listed = ", ".join(_shown(name) for name in names)
    en, zh = f"Ignored: {listed}.", f"已忽略：{listed}。"
    return Issue("not-supported", zh=zh, en=en, severity="warning", detail="search.ignored")
