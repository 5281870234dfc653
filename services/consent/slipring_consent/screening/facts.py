"""What is known about one patient before contrast: the values that the screening rules weigh. Pure and frozen.

A fact that nobody stated is `unknown`, and unknown is never `no`. `screening/gathered` fills them from resources.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from slipring_consent.screening.packs import Policy


@dataclass(frozen=True, slots=True)
class ScreeningFacts:
    """What is known about one patient before contrast, from the answers, from copies, and from records kept here."""

    prior_reaction: str = "unknown"  # none | mild | moderate | severe | unknown
    prior_reaction_kind: str = "unknown"  # allergic-like | physiologic | unknown
    reaction_agents: tuple[str, ...] = ()  # ATC codes of the agents that the earlier reactions were to
    planned_agent: str = ""  # ATC code of the agent that is planned
    multiple_allergies: str = "unknown"  # yes | no | unknown, as everything below unless said otherwise
    asthma: str = "unknown"
    hyperthyroidism: str = "unknown"  # manifest, not controlled
    radioiodine_planned: str = "unknown"  # treatment with radio-iodine or a thyroid scintigraphy ahead
    metformin: str = "unknown"
    beta_blocker: str = "unknown"
    interleukin_2: str = "unknown"
    nephrotoxic_drugs: str = "unknown"
    dialysis: str = "unknown"
    acute_kidney_injury: str = "unknown"
    kidney_disease: str = "unknown"
    kidney_surgery: str = "unknown"
    diabetes: str = "unknown"
    hypertension: str = "unknown"
    gout: str = "unknown"
    heart_disease: str = "unknown"  # of any kind
    liver_disease: str = "unknown"
    heart_failure: str = "unknown"  # unstable
    pulmonary_hypertension: str = "unknown"
    phaeochromocytoma: str = "unknown"
    myasthenia: str = "unknown"
    homocystinuria: str = "unknown"
    myeloma: str = "unknown"
    pregnancy: str = "unknown"
    lactation: str = "unknown"
    uterus_removed: bool = False  # a record says so
    egfr_ml_min: Decimal | None = None  # per 1.73 m2, the newest in date
    egfr_comparator: str = ""  # as reported: "<15" is 15 with "<", ">90" is 90 with ">"; empty = exactly
    egfr_formula: str = ""  # a key of data/renal.toml: ckd-epi-2021 | ckd-epi-2009 | schwartz-2009 | mdrd | reported
    egfr_at: datetime | None = None  # when the sample was taken, also of a value that is too old
    egfr_age_days: int | None = None  # age of that sample
    egfr_too_old_ml_min: Decimal | None = None  # the newest value, when it is no longer in date
    egfr_missing: str = ""  # why there is none: too-old, or a word of `kidneys.Renal.missing`
    age_years: int | None = None  # whole years today; None for a missing or partial birth date
    sex: str = ""  # male | female | "" where nothing is known
    route: str = "intravenous"  # intravenous | arterial-first-pass | arterial-second-pass
    inpatient: str = "unknown"
    intensive_care: bool = False
    stat: bool = False  # the request does not wait
    last_contrast_at: datetime | None = None  # the newest earlier use of iodinated contrast, another exam's
    last_contrast_from: datetime | None = None  # when that use began, by the clock of the department
    policy: Policy = field(default_factory=lambda: Policy("none"))

    def egfr_may_be_below(self, limit_ml_min: Decimal | int) -> bool:
        """Whether the eGFR in date is below a limit, or cannot be shown not to be: "<60" may be below 30, ">90" is not."""
        if self.egfr_ml_min is None:
            return False
        return self.egfr_ml_min < limit_ml_min or self.egfr_comparator in ("<", "<=")
