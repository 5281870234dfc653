"""What we speak: the SOP classes with their transfer syntaxes (the conformance statement lists the same)."""

from __future__ import annotations

from pydicom.uid import (
    JPEG2000,
    UID,
    BasicTextSRStorage,
    ComprehensiveSRStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    EnhancedSRStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    LegacyConvertedEnhancedCTImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    XRayRadiationDoseSRStorage,
)
from pynetdicom.presentation import PresentationContext, build_context

PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
# Only headers are read, so that any encoding of the pixels will do.
PIXELS = (
    JPEGLosslessSV1, JPEGLossless, JPEGLSLossless, JPEG2000Lossless, RLELossless,
    JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000,
)  # fmt: skip
REPORTS = (XRayRadiationDoseSRStorage, EnhancedSRStorage, ComprehensiveSRStorage, BasicTextSRStorage)
IMAGES = (
    CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage, SecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage, MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)  # fmt: skip
VERIFICATION = UID("1.2.840.10008.1.1")
WORKLIST = UID("1.2.840.10008.5.1.4.31")
PERFORMED_STEP = UID("1.2.840.10008.3.1.2.3.3")
ASKED = (VERIFICATION, WORKLIST, PERFORMED_STEP)


def supported_contexts() -> list[PresentationContext]:
    """Every presentation context that we accept."""
    return [
        *(build_context(one, list(PLAIN)) for one in ASKED),
        *(build_context(one, list(PLAIN)) for one in REPORTS),
        *(build_context(one, [*PLAIN, *PIXELS]) for one in IMAGES),
    ]
