"""The staff register's codes as code systems: titles, qualifications, roles, acts."""

from __future__ import annotations

import tomllib
from pathlib import Path

from slipring.fhir.terminology.own import own_system
from slipring.staff.permission import acts

_REGISTER = tomllib.loads((Path(__file__).parent / "register.toml").read_text(encoding="utf-8"))
_TITLES = tomllib.loads((Path(__file__).parent / "titles.toml").read_text(encoding="utf-8"))

STAFF = (
    own_system("staff-title", "Professional title", "职称", _TITLES["titles"]),
    own_system("staff-qualification", "Qualification", "资质", _REGISTER["qualifications"]),
    own_system("staff-role", "Role in the department", "科室角色", _REGISTER["roles"]),
    own_system("staff-act", "What a person may do", "可从事的工作", acts()),
)
