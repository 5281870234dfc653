"""What images say of themselves and what the order says, side by side; pure values for the rules."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as far as it is said; names in forms that compare."""

    numbers: frozenset[str] = frozenset()
    han_names: frozenset[str] = frozenset()
    latin_names: frozenset[str] = frozenset()
    birth_date: str = ""  # YYYY-MM-DD
    sex: str = ""  # male, female; anything else is not compared


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What images say: by their DICOM headers or by an ImagingStudy."""

    study_uid: str = ""
    accession: str = ""
    identity: Identity = field(default_factory=Identity)
    regions: frozenset[str] = frozenset()  # by code: BodyPartExamined, anatomic region
    sides: frozenset[str] = frozenset()  # left, right or both of them: by Laterality, ImageLaterality
    described_regions: frozenset[str] = frozenset()  # by words of the descriptions
    described_sides: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Images and the order they belong to."""

    image: ImageHeader
    accession: str = ""  # of the order
    identity: Identity = field(default_factory=Identity)
    regions: frozenset[str] = frozenset()
    sides: frozenset[str] = frozenset()
    other_patient: bool = False  # an ImagingStudy whose subject is another Patient resource
    exam_known: bool = True
    at: str = "ImagingStudy"  # what the finding points at
