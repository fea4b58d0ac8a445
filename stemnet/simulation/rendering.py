"""A batch of scenes to images, in torch, on any device, without a loop over columns."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from stemnet.simulation.counting import poisson
from stemnet.simulation.grain import lasting_grain
from stemnet.simulation.gridding import SHARP, SMOOTH, Kernel, read_along, read_rows, spread
from stemnet.simulation.probe import passed_beyond
from stemnet.simulation.responding import Drawing, responded
from stemnet.simulation.scene import Scene

REACH, TAILS_REACH = 5.0, 8.0
"""Columns further outside the frame than this many widths are left out; the second where they have long tails."""
FINE_ENOUGH, COARSE_ENOUGH = 1.5, 3.0
"""Columns narrower than the first [px] are drawn on a grid twice as fine as the pixels, columns wider than the second
on one half as fine, but where the probe passes more than such a grid holds."""
CUT, FINEST = 4e-4, 4.0
"""Share of the amplitudes that a grid may miss (what is cut off rings about a column, and less than no light counts as
none), and the finest grid that is taken to miss no more [grid pixels a pixel]."""
SMOOTH_ENOUGH, SMOOTH_BAND, SMOOTH_CUT = 2.5, 0.4, 4e-3
"""Images whose columns are wider than this many grid pixels, and whose amplitudes lie below this frequency [1 / grid
pixel] but for this share, are read with the shorter kernel."""
GRAIN_BAND = 0.69
"""Highest frequency of a support's texture, times its correlation length: there exp(-2 (pi x)^2) is 1e-4."""
MOST_PIXELS = 2**23
"""Of the grids that are transformed at once: bounds the memory."""


def render(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> Tensor:
    """Images of scenes of one shape, with all noise, each from its own seed.

    An image is the same whatever else is in the batch. On another device the
    generators draw other numbers, and sums are rounded in another order:
    expected images then agree to 1e-5 of their peak.

    Parameters
    ----------
    scenes : sequence of Scene
    device : torch.device or str

    Returns
    -------
    Tensor, shape (B, H, W), float32
        Electrons per pixel, or the units that the responses make of them.
    """
    generators = [torch.Generator(device).manual_seed(scene.seed) for scene in scenes]

    def draw(rows: Sequence[int], shape: tuple[int, int]) -> Tensor:
        drawn = [torch.randn(shape, generator=generators[row], device=device) for row in rows]
        return torch.stack(drawn) if len(drawn) > 1 else drawn[0][None]

    shape, everyone = scenes[0].shape, range(len(scenes))
    images = _lit(scenes, device, draw)
    for image, scene in zip(images, scenes, strict=True):
        if scene.support > 0 and scene.grain_seed is not None:
            image += lasting_grain(scene, device)
    images = responded(images, scenes, draw, before_counting=True)
    images = poisson(images, draw(everyone, shape))
    return responded(images, scenes, draw, before_counting=False)


def expected(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> Tensor:
    """Expected electrons per pixel from columns and smooth background, without support and responses.

    Parameters
    ----------
    scenes : sequence of Scene
        All of one shape.
    device : torch.device or str

    Returns
    -------
    Tensor, shape (B, H, W), float32
    """
    return _lit(scenes, device, None)


def _lit(scenes: Sequence[Scene], device: torch.device | str, draw: Drawing | None) -> Tensor:
    """Columns, background and (if numbers are drawn) support, (B, H, W)."""
    height, width = scenes[0].shape
    groups: dict[_Grid, list[int]] = defaultdict(list)
    for row, scene in enumerate(scenes):
        groups[_grid_of(scene)].append(row)
    parts: list[tuple[list[int], Tensor]] = []
    for grid, rows in groups.items():
        many = max(1, MOST_PIXELS // (grid.rows * grid.cols))
        for start in range(0, len(rows), many):
            some = rows[start : start + many]
            parts.append((some, _columns(grid, [scenes[i] for i in some], some, device, draw)))
    if len(parts) == 1:
        images = parts[0][1]
    else:
        images = torch.empty(len(scenes), height, width, device=device)
        for rows, part in parts:
            images[rows] = part
    down, right = (_cubic(length, torch.device(device)) for length in (height, width))
    knots = torch.as_tensor(np.stack([scene.knots for scene in scenes]), dtype=torch.float32, device=device)
    return images.clamp_min_(0) + (down @ knots @ right.T).clamp_min_(0)


@dataclass(frozen=True)
class _Grid:
    """How a scene is drawn; scenes alike in this are drawn together.

    `fine` grid pixels a pixel (1/2, 1 or 2), `margin` grid pixels before the first pixel,
    `rows` and `cols` in all, `table` points across the transfer function, and
    whether the scan leaves its grid (not at all, by rows, or within them along
    x, or along both axes), and the kernel to read it with.
    """

    fine: float
    margin: int
    rows: int
    cols: int
    table: int
    astray: str
    reader: Kernel


def _grid_of(scene: Scene) -> _Grid:
    fine = 1.0 if scene.width >= FINE_ENOUGH else 2.0
    grained = scene.support > 0 and scene.support_length < GRAIN_BAND / 0.25
    if scene.width >= COARSE_ENOUGH and not grained:
        fine = 0.5
    while fine < FINEST and passed_beyond(scene.otf, scene.otf_limit, scene.blur, fine / 2) > CUT:
        fine *= 2
    reach = (TAILS_REACH if scene.tails else REACH) * scene.width + scene.raster.largest
    margin = math.ceil(fine * reach) + SHARP.taps
    rows, cols = (_fast(math.ceil(fine * length) + 2 * margin) for length in scene.shape)
    if scene.raster.largest == 0:
        astray = "nowhere"
    elif scene.raster.within is None:
        astray = "rows"
    else:
        astray = "both" if scene.raster.within[0].any() else "x"
    smooth = fine * scene.width >= SMOOTH_ENOUGH
    if astray != "nowhere" and smooth:
        smooth = passed_beyond(scene.otf, scene.otf_limit, scene.blur, SMOOTH_BAND * fine) <= SMOOTH_CUT
    reader = SMOOTH if smooth else SHARP
    return _Grid(fine, margin, rows, cols, len(scene.otf), astray, reader)


@lru_cache(maxsize=4096)
def _fast(length: int) -> int:
    """The next length that transforms quickly and that many scenes share."""
    coarse = 16 if length < 256 else 32 if length < 640 else 64
    while length % coarse or next_fast_len(length, real=True) != length:
        length += 1
    return length


def _columns(
    grid: _Grid, scenes: Sequence[Scene], rows: list[int], device: torch.device | str, draw: Drawing | None
) -> Tensor:
    """Sum of the columns' images, and the support, (B, H, W).

    Columns are spread over the grid with a short kernel, its spectrum is
    multiplied by the probe's transfer function, and where the scan strayed the
    image is read at the beam's true places.
    """
    size, fine = len(scenes), grid.fine
    yx, electrons, image = [], [], []
    for number, scene in enumerate(scenes):
        points, light = scene.drawn
        place = points * fine + grid.margin
        bound = np.array([grid.rows, grid.cols]) - SHARP.taps
        inside = np.all((place >= SHARP.taps) & (place < bound), axis=1)
        yx.append(place[inside])
        electrons.append(light[inside] * fine**2)
        image.append(np.full(int(inside.sum()), number))
    spectrum = torch.fft.rfft2(
        spread(
            np.concatenate(yx),
            np.concatenate(electrons),
            np.concatenate(image),
            (size, grid.rows, grid.cols),
            device,
        )
    )
    spectrum *= _transfer(grid, scenes, device)
    if draw is not None:
        _add_support(spectrum, grid, scenes, rows, draw)
    return _read(spectrum, grid, scenes)


def _frequencies(grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies of the grid's spectrum [1 / image pixel]."""
    return np.fft.fftfreq(grid.rows) * grid.fine, np.fft.rfftfreq(grid.cols) * grid.fine


def _transfer(grid: _Grid, scenes: Sequence[Scene], device: torch.device | str) -> Tensor:
    """Probe, source, thermal smearing and tails on the grid's frequencies, the kernel divided out, (B, R, C / 2 + 1).

    Where the image is read between its pixels by the same kernel, that too is
    divided out.
    """
    frequencies = _frequencies(grid)
    spread_back = (SHARP.correction(k / grid.fine) for k in frequencies)
    kernels = (given * read for given, read in zip(spread_back, _read_back(grid), strict=True))
    limit, blur, tails, width = (
        _stacked(scenes, name, device)[:, None] for name in ("otf_limit", "blur", "tails", "width")
    )
    ky, kx, along_y, along_x = (
        torch.as_tensor(values, dtype=torch.float32, device=device) for values in (*frequencies, *kernels)
    )
    place = torch.empty(len(scenes), len(ky), len(kx), 2, device=device)
    place[..., 0] = (kx / limit)[:, None, :]
    place[..., 1] = (ky / limit)[:, :, None]
    table = torch.as_tensor(np.stack([scene.otf for scene in scenes]), device=device)
    otf = torch.nn.functional.grid_sample(
        torch.view_as_real(table).permute(0, 3, 1, 2).contiguous(), place, mode="bilinear", align_corners=True
    )
    fall = -2 * (math.pi * blur) ** 2
    down = torch.exp(fall * ky**2) * along_y
    right = torch.exp(fall * kx**2) * along_x * (1 - tails)
    otf *= down[:, None, :, None] * right[:, None, None, :]
    if bool((tails > 0).any()):
        k = (ky[:, None] ** 2 + kx**2).sqrt_()
        reach = -2 * math.pi * 2.2 * width[:, :, None]
        otf[:, 0] += tails[:, :, None] * torch.exp(reach * k) * (along_y[:, None] * along_x)
    return torch.complex(otf[:, 0], otf[:, 1])


def _add_support(
    spectrum: Tensor, grid: _Grid, scenes: Sequence[Scene], rows: list[int], draw: Drawing
) -> None:
    """Add the texture of amorphous supports to a spectrum: filtered white noise and twice its deviation."""
    device, fine = spectrum.device, grid.fine
    read_y, read_x = (torch.as_tensor(k, dtype=torch.float32, device=device) for k in _read_back(grid))
    for image, scene, row in zip(spectrum, scenes, rows, strict=True):
        if scene.support == 0 or scene.grain_seed is not None:
            continue
        # Frequencies beyond the band would hold less than a ten-thousandth of the amplitude.
        band = GRAIN_BAND / max(scene.support_length, 1e-6)
        high = min(int(band * grid.rows / fine) + 1, grid.rows // 2 - 1)
        wide = min(int(band * grid.cols / fine) + 1, grid.cols // 2 - 1)
        ky = torch.cat([torch.arange(high + 1), torch.arange(-high, 0)]).to(device)
        kx = torch.arange(wide + 1, device=device)
        fall = -2 * (math.pi * scene.support_length * fine) ** 2
        down, right = torch.exp(fall * (ky / grid.rows) ** 2), torch.exp(fall * (kx / grid.cols) ** 2)
        # All frequencies but those of the first column stand for two; a transform back to real
        # numbers takes the real part of that column, which halves its power.
        twice = torch.where(kx == 0, 1.0, 2.0)
        power = (down**2).sum() * (right**2 * twice).sum()
        right = right * torch.where(kx == 0, 1.0, math.sqrt(0.5)) * read_x[: wide + 1]
        amount = scene.support * grid.rows * grid.cols / power.sqrt()
        noise = draw([row], (len(ky), 2 * len(kx))).view(len(ky), len(kx), 2)
        texture = noise * ((down * read_y[ky])[:, None] * (right * amount))[..., None]
        texture[0, 0] = 0.0
        texture[0, 0, 0] = 2 * scene.support * grid.rows * grid.cols * read_y[0] * read_x[0]
        parts = torch.view_as_real(image)
        parts[: high + 1, : wide + 1] += texture[: high + 1]
        parts[-high:, : wide + 1] += texture[high + 1 :]


def _read_back(grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """What reading the image between its pixels takes from each frequency, to be given before, along y and x."""
    ky, kx = (k / grid.fine for k in _frequencies(grid))
    along_y = grid.reader.correction(ky) if grid.astray != "nowhere" else np.ones_like(ky)
    along_x = grid.reader.correction(kx) if grid.astray in ("x", "both") else np.ones_like(kx)
    return along_y, along_x


def _read(spectrum: Tensor, grid: _Grid, scenes: Sequence[Scene]) -> Tensor:
    """The image where the beam was, (B, H, W)."""
    height, width = scenes[0].shape
    device, fine, margin = spectrum.device, grid.fine, grid.margin
    # A coarse grid's spectrum, with zeros beyond, makes an image of the pixels themselves.
    zoom, stride = max(1, round(1 / fine)), max(1, round(fine))
    rows, cols = (slice(zoom * margin, zoom * margin + stride * side, stride) for side in (height, width))
    wide = zoom * grid.cols
    if grid.astray == "nowhere":
        if zoom > 1:
            half = grid.rows // 2
            high, low = spectrum[:, :half], spectrum[:, half:]
            between = high.new_zeros(len(high), (zoom - 1) * grid.rows, high.shape[2])
            spectrum = torch.cat([high, between, low], dim=1)
        lines = torch.fft.ifft(spectrum, dim=1)[:, rows]
        return zoom**2 * torch.fft.irfft(lines, n=wide, dim=2)[:, :, cols]
    offsets = np.stack([scene.raster.rows for scene in scenes])
    down = torch.as_tensor(fine * (np.arange(height) + offsets[..., 0]) + margin, device=device)
    if grid.astray == "rows":
        lines = read_rows(torch.fft.ifft(spectrum, dim=1), down, grid.reader)
        _, kx = _frequencies(grid)
        lines *= _phase(offsets[..., 1:] * kx, device)
        return zoom * torch.fft.irfft(lines, n=wide, dim=2)[:, :, cols]
    image = torch.fft.irfft2(spectrum, s=(grid.rows, grid.cols))
    within = torch.as_tensor(
        np.stack([scene.raster.within_all((height, width)) for scene in scenes]), device=device
    )
    # Columns of the grid that no pixel of the frame is read from are cut away.
    spare = math.ceil(fine * max(scene.raster.largest for scene in scenes)) + grid.reader.taps
    image = image[:, :, margin - spare : margin + math.ceil(fine * width) + spare].contiguous()
    stray_y, stray_x = (
        torch.as_tensor(offsets[..., axis : axis + 1].astype(np.float32), device=device) + within[:, axis]
        for axis in (0, 1)
    )
    if grid.astray == "both":
        # The columns of the grid before and after the image stray as the image's first and last.
        near = np.clip((np.arange(image.shape[2]) - spare) / fine, 0, width - 1).astype(int)
        pixels, part = _pixels(height, fine, margin, device)
        image = read_along(image, pixels, fine * stray_y[:, :, near] + part[:, None], 1, grid.reader)
    else:
        image = read_rows(image, down, grid.reader)
    pixels, part = _pixels(width, fine, spare, device)
    return read_along(image, pixels, fine * stray_x + part, 2, grid.reader)


def _pixels(length: int, fine: float, first: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where the image's pixels lie on a grid: whole grid pixels (length,), and the parts beyond them."""
    place = fine * torch.arange(length, device=device)
    return place.to(torch.int64) + first, place - place.floor()


def _phase(turns: np.ndarray, device: torch.device | str) -> Tensor:
    """exp(2 pi i turns); whole turns are taken off in float64, so that float32 keeps its digits."""
    part = (turns - np.rint(turns)).astype(np.float32)
    angle = torch.as_tensor(part * np.float32(2 * np.pi), device=device)
    return torch.complex(angle.cos(), angle.sin())


@lru_cache(maxsize=16)
def _cubic(length: int, device: torch.device) -> Tensor:
    """The matrix (length, 9) that interpolates nine knots cubically over a frame's side."""
    knots = torch.eye(9)[None, None]
    return torch.nn.functional.interpolate(knots, (length, 9), mode="bicubic", align_corners=True)[0, 0].to(
        device
    )


def _stacked(scenes: Sequence[Scene], name: str, device: torch.device | str) -> Tensor:
    return torch.tensor([getattr(scene, name) for scene in scenes], dtype=torch.float32, device=device)
