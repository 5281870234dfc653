"""An ellipse in the picture, and the one that fits points of an edge."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from slipring.qc.image.slice import Floats, Mask, Places


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse in pixels: middle, half axes a >= b, and the direction of a from the x axis (radians)."""

    x: float
    y: float
    a: float
    b: float
    turn: float
    residual: float = 0.0  # rms distance of the edge points, pixels
    found: float = 1.0  # share of directions in which the edge was seen

    @property
    def radius(self) -> float:
        """That of the circle with the same area."""
        return math.sqrt(self.a * self.b)

    def scaled(self, x: Places, y: Places) -> Floats:
        """How far out the pixels of an open grid lie: 1 on the edge, 0 in the middle."""
        dx, dy, c, s = x - self.x, y - self.y, math.cos(self.turn), math.sin(self.turn)
        xx, yy = (c / self.a) ** 2 + (s / self.b) ** 2, (s / self.a) ** 2 + (c / self.b) ** 2
        both = 2 * c * s * (1 / self.a**2 - 1 / self.b**2)
        squared: Floats = both * dx * dy
        squared += xx * dx**2 + yy * dy**2
        return np.sqrt(squared, out=squared)

    def reach(self, angle: float) -> float:
        """The distance from the middle to the edge in a direction, pixels."""
        c, s = math.cos(angle - self.turn), math.sin(angle - self.turn)
        return 1.0 / math.hypot(c / self.a, s / self.b)

    def reaches(self, angles: Floats) -> Floats:
        """The same for many directions."""
        return 1.0 / np.hypot(np.cos(angles - self.turn) / self.a, np.sin(angles - self.turn) / self.b)

    def distance(self, x: Floats, y: Floats) -> Floats:
        """Signed distance from the edge in pixels, to first order: negative inside."""
        along, across = self._turned(x, y)
        far = np.sqrt((along / self.a) ** 2 + (across / self.b) ** 2)
        slope = np.sqrt((along / self.a**2) ** 2 + (across / self.b**2) ** 2)
        return (far - 1.0) * far / np.maximum(slope, 1e-9)

    def _turned(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Along the long axis and across it, from the middle."""
        dx, dy, c, s = x - self.x, y - self.y, math.cos(self.turn), math.sin(self.turn)
        return dx * c + dy * s, dy * c - dx * s


def fitted(points: Floats) -> Ellipse | None:
    """Least squares with rejection: first a circle through the middle mass of points, then an ellipse."""
    good: Mask = np.isfinite(points[0])
    if good.sum() < len(good) // 3:
        return None
    found = Ellipse(0, 0, 1, 1, 0)
    for order in (0, 0, 1, 1, 1, 1):
        ellipse = _circle(points[:, good]) if order == 0 else _ellipse(points[:, good], found)
        if ellipse is None:
            return None
        found, used = ellipse, good
        away = np.abs(ellipse.distance(points[0], points[1]))
        spread = float(np.nanmedian(away))
        allowed = max(3.0 * 1.48 * spread, 0.3) if order else max(3.0 * 1.48 * spread, 0.03 * ellipse.radius)
        good = np.isfinite(away) & (away < allowed)
        if good.sum() < len(good) // 3:
            return None
        if order and np.array_equal(good, used):
            break
    residual = float(np.sqrt(np.mean(away[good] ** 2)))
    return replace(found, residual=residual, found=float(good.mean()))


def _circle(points: Floats) -> Ellipse | None:
    x, y = points
    unknown, *_ = np.linalg.lstsq(np.stack([x, y, np.ones_like(x)], axis=1), x**2 + y**2, rcond=None)
    squared = unknown[2] + (unknown[0] ** 2 + unknown[1] ** 2) / 4
    if squared <= 0:
        return None
    radius = math.sqrt(squared)
    return Ellipse(float(unknown[0]) / 2, float(unknown[1]) / 2, radius, radius, 0.0)


def _ellipse(points: Floats, start: Ellipse) -> Ellipse | None:
    """Radius as a series of the angle up to the second harmonic: exact to first order for the small leans of phantoms.

    `start` only makes the numbers of the order of 1.
    """
    x, y, scale = start.x, start.y, start.radius
    u, v = (points[0] - x) / scale, (points[1] - y) / scale
    # A conic with u² + v² = 1 as its start: A(u² - v²) + B uv + C u + D v + E = u² + v².
    rows = np.stack([u**2 - v**2, u * v, u, v, np.ones_like(u)], axis=1)
    p, q, c, d, e = (float(one) for one in np.linalg.lstsq(rows, u**2 + v**2, rcond=None)[0])
    # The form [[1 - p, -q / 2], [-q / 2, 1 + p]] has the eigenvalues 1 -+ off; the smaller is that of the long axis.
    off = math.hypot(p, q / 2)
    if off >= 1:
        return None
    mx, my = ((1 + p) * c + q / 2 * d) / (2 * (1 - off**2)), ((1 - p) * d + q / 2 * c) / (2 * (1 - off**2))
    constant = e + (c * mx + d * my) / 2
    if constant <= 0:
        return None
    a, b = scale * math.sqrt(constant / (1 - off)), scale * math.sqrt(constant / (1 + off))
    return Ellipse(x + scale * mx, y + scale * my, a, b, 0.5 * math.atan2(q / 2, p))
