"""The link that opens a study in the hospital's viewer: a template of the department, and one Study Instance UID. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from slipring.fhir.service import Resource

STUDY = "{study}"
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")  # DICOM PS3.5, 9.1
_UID_LENGTH = 64
_LONGEST = 2000


def viewer_template(text: str) -> str:
    """The template as it is set; ValueError says why one cannot be used. Empty: there is no viewer.

    Nothing about a patient may stand in an address but the Study Instance UID: no other placeholder is known.
    """
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("SLIPRING_VIEWER_URL is an http(s) address with a host")
    if "@" in parts.netloc:
        raise ValueError("SLIPRING_VIEWER_URL holds no user name or password")
    if text.count(STUDY) != 1 or STUDY in parts.netloc:
        raise ValueError(f"SLIPRING_VIEWER_URL holds {STUDY} once, behind the host")
    if re.search(r"[{}\s]", text.replace(STUDY, "")) or len(text) > _LONGEST:
        raise ValueError(f"SLIPRING_VIEWER_URL holds no other placeholder than {STUDY}, no blank, and is not too long")
    return text


def study_uid(study: Resource) -> str:
    """The Study Instance UID of an ImagingStudy; '' where it names none that is one."""
    for identifier in study.get("identifier", []):
        if identifier.get("system") == "urn:dicom:uid":
            uid = str(identifier.get("value", "")).removeprefix("urn:oid:")
            if _UID.fullmatch(uid) and len(uid) <= _UID_LENGTH:
                return uid
    return ""


def link(template: str, study: Resource) -> str:
    """The address that opens the study; '' without a viewer or a UID."""
    uid = study_uid(study)
    return template.replace(STUDY, uid) if template and uid else ""
