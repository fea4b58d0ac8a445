"""Reading of pictures that Pillow opens: PNG, JPEG, BMP, and compressed TIFF."""

from __future__ import annotations

import numpy as np

from stemnet.reading.signals import Signal, of_array


def read_picture(path: str) -> list[Signal]:
    """Return the frames of a PNG, JPEG, BMP or other picture that Pillow opens."""
    from PIL import Image

    with Image.open(path) as picture:
        lossy = picture.format == "JPEG"
    notes = ("JPEG compression is lossy: positions and intensities suffer.",) if lossy else ()
    return [of_array("picture", picture_frames(path), notes=notes)]


def picture_frames(path: str) -> np.ndarray:
    """Return all frames of a picture, (H, W), (H, W, 3), or with frames in front."""
    from PIL import Image, ImageSequence

    with Image.open(path) as picture:
        frames = [_frame(frame) for frame in ImageSequence.Iterator(picture)]
    same = [frame for frame in frames if frame.shape == frames[0].shape]
    return same[0] if len(same) == 1 else np.stack(same)


def _frame(frame) -> np.ndarray:
    if frame.mode in ("LA", "La"):
        frame = frame.convert("L")
    elif frame.mode not in ("1", "L", "I", "F", "RGB") and not frame.mode.startswith("I;16"):
        frame = frame.convert("RGB")
    array = np.asarray(frame)
    tags = getattr(frame, "tag_v2", {})
    # Pillow reads unsigned 32-bit pixels (sample format 1) as signed ones.
    if frame.mode == "I" and tags.get(258) == (32,) and tags.get(339, (1,)) in (1, (1,)):
        array = array.view(np.uint32)
    return array
