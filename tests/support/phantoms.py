"""Phantoms of known truth: discs blurred by a known Gaussian, correlated noise, and the DICOM file around them.

Every edge is sampled from its analytic profile (erfc across the edge), a wire from its 2-D Gaussian: the truth of the
MTF is exp(-2 pi² s² f²), without a pixel aperture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy.special import erfc


@dataclass
class Phantom:
    """What is drawn. Lengths in mm, places from the middle of the image; `tilt_deg` lengthens the phantom along y."""

    matrix: int = 256
    field_mm: float = 250.0
    diameter_mm: float = 200.0
    wall_mm: float = 6.0
    wall_hu: float = 120.0
    centre_mm: tuple[float, float] = (0.0, 0.0)
    tilt_deg: float = 0.0
    water_hu: float = 0.0
    cupping_hu: float = 0.0  # at the edge, growing with the square of the radius
    noise_hu: float = 4.0
    blur_mm: float = 0.8
    thickness_mm: float = 5.0
    discs: list[tuple[float, float, float, float]] = field(
        default_factory=list
    )  # x, y, diameter, HU; from the phantom's middle
    wires: list[tuple[float, float, float]] = field(default_factory=list)  # x, y, HU x mm²
    ramps: list[tuple[float, float, float, float]] = field(default_factory=list)  # x, y, direction in degrees, HU
    couch: bool = False
    ring_hu: float = 0.0
    streak_hu: float = 0.0
    seed: int = 1

    @property
    def step(self) -> float:
        """Edge of a pixel, mm."""
        return self.field_mm / self.matrix

    def hu(self) -> np.ndarray[Any, Any]:
        """The image in HU, unrounded."""
        axis = (np.arange(self.matrix) - (self.matrix - 1) / 2) * self.step
        x, y = np.meshgrid(axis - self.centre_mm[0], axis - self.centre_mm[1])
        lean = 1 / math.cos(math.radians(self.tilt_deg))
        radius = self.diameter_mm / 2

        def inside(r: np.ndarray[Any, Any], edge: float) -> np.ndarray[Any, Any]:
            return 0.5 * erfc((r - edge) / (math.sqrt(2) * self.blur_mm))

        r = np.hypot(x, y / lean)
        image = np.full(x.shape, -1000.0)
        if self.couch:
            shell = (np.abs(y - radius * lean - 2) < 2) & (np.abs(x) < self.field_mm * 0.45)
            foam = (y > radius * lean + 4) & (np.abs(x) < self.field_mm * 0.45)
            image = np.where(foam, -920.0, np.where(shell, -250.0, image))
        water = self.water_hu + self.cupping_hu * (r / (radius - self.wall_mm)) ** 2
        if self.wall_mm:
            image += (self.wall_hu - image) * inside(r, radius)
            image += (water - self.wall_hu) * inside(r, radius - self.wall_mm)
        else:
            image += (water - image) * inside(r, radius)
        for dx, dy, diameter, hu in self.discs:
            image += (hu - water) * inside(np.hypot(x - dx, y - dy), diameter / 2)
        for dx, dy, amount in self.wires:
            spread = np.exp(-((x - dx) ** 2 + (y - dy) ** 2) / (2 * self.blur_mm**2))
            image += amount / (2 * math.pi * self.blur_mm**2) * spread
        for dx, dy, degrees, hu in self.ramps:
            c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            along, across = (x - dx) * c + (y - dy) * s, -(x - dx) * s + (y - dy) * c
            length = self.thickness_mm / math.tan(math.radians(23))
            image += hu * inside(np.abs(along), length / 2) * np.exp(-(across**2) / (2 * 0.9**2))
        body = r < radius - self.wall_mm
        if self.ring_hu:
            image += (
                self.ring_hu * body * (np.abs(np.hypot(x + self.centre_mm[0], y + self.centre_mm[1]) - 45) < self.step)
            )
        if self.streak_hu:
            image += self.streak_hu * body * (np.abs(x * 0.8 + y * 0.6 - 13) < 1.5 * self.step)
        return image + self.noise()

    def noise(self) -> np.ndarray[Any, Any]:
        """Noise as filtered back projection makes it: power rising with frequency, then cut off by the kernel."""
        white = np.random.default_rng(self.seed).standard_normal((self.matrix, self.matrix))
        f = np.hypot(*np.meshgrid(np.fft.fftfreq(self.matrix), np.fft.fftfreq(self.matrix))) / self.step
        shape = np.sqrt(f + 0.02) * np.exp(-((f / 0.35) ** 2))
        coloured = np.fft.ifft2(np.fft.fft2(white) * shape).real
        return coloured / coloured.std() * self.noise_hu

    def dataset(self, **more: Any) -> Dataset:
        """A CT Image Storage data set of it; see `as_dataset`."""
        return as_dataset(self.hu(), self.step, thickness_mm=self.thickness_mm, **more)


def as_dataset(
    hu: np.ndarray[Any, Any], step: float, *, thickness_mm: float = 5.0, slope: float = 1.0, intercept: float = -1024.0,
    signed: bool = True, padding: int | None = None, kernel: str = "STANDARD", frames: int = 0,
) -> Dataset:  # fmt: skip
    """HU to a data set; with `padding` everything beyond the circle of reconstruction holds that stored value."""
    rows, columns = hu.shape
    stored = np.round((hu - intercept) / slope)
    bounds = np.iinfo(np.int16 if signed else np.uint16)
    stored = np.clip(stored, bounds.min, bounds.max)
    if padding is not None:
        y, x = np.ogrid[:rows, :columns]
        stored = np.where(np.hypot(x - (columns - 1) / 2, y - (rows - 1) / 2) > columns / 2, padding, stored)
    pixels = stored.astype("<i2" if signed else "<u2")
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.SeriesInstanceUID, data.StudyInstanceUID = generate_uid(), generate_uid()
    data.Modality, data.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.Rows, data.Columns, data.SamplesPerPixel = rows, columns, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, int(signed)
    data.PixelSpacing = [f"{step:.6f}"] * 2
    data.ImagePositionPatient = [f"{-(columns - 1) / 2 * step:.5f}", f"{-(rows - 1) / 2 * step:.5f}", "0"]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.SliceThickness, data.ConvolutionKernel, data.KVP = f"{thickness_mm:g}", kernel, "120"
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = f"{slope:g}", f"{intercept:g}", "HU"
    if padding is not None:
        data.add_new("PixelPaddingValue", "SS" if signed else "US", padding)
    if frames:
        data.NumberOfFrames = frames
        pixels = np.stack([pixels] * frames)
    data.PixelData = pixels.tobytes()
    return data


def changed_syntax(data: Dataset, file: Any, syntax: str) -> None:
    """Write a data set compressed losslessly by the decoder's own library (JPEG, JPEG-LS, JPEG 2000) or as RLE."""
    import gdcm

    plain = f"{file}.plain"
    data.save_as(plain, enforce_file_format=True)
    reader = gdcm.ImageReader()
    reader.SetFileName(plain)
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(UID(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change(), syntax
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(file))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write(), syntax
