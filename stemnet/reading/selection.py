"""Choice of the one real image, or stack, among everything a file holds."""

from __future__ import annotations

from collections.abc import Sequence

from stemnet.errors import StemnetError
from stemnet.reading.calibration import parse_unit
from stemnet.reading.signals import Signal

SMALLEST_SIDE = 8  # a column and its surroundings need this many pixels


def select_signal(
    signals: Sequence[Signal], file: str, *, signal: int | str | None = None, trust_units: bool = True
) -> tuple[Signal, list[str]]:
    """Choose the signal to analyze.

    Parameters
    ----------
    signals : sequence of Signal
        All signals of the file, in its order.
    file : str
        Name of the file, for messages.
    signal : int or str, optional
        Number or name of the wanted signal; by default the best image.
    trust_units : bool
        False when the user states the sampling: then a reciprocal unit in the
        file does not make a diffraction pattern of an image.

    Returns
    -------
    chosen : Signal
    notes : list of str
        Says what else could have been chosen.

    Raises
    ------
    StemnetError
        If nothing in the file, or not the signal asked for, is an image.
    """
    signals = [each.squeezed() for each in signals]
    if not signals:
        raise StemnetError(f"{file} holds no array of numbers; an image (rows, columns) is needed.")
    if signal is not None:
        chosen = signals[_find(signals, file, signal)]
        reason = refusal(chosen, trust_units)
        if reason:
            raise StemnetError(_refused(f"signal '{chosen.name}' of {file}", reason))
        return chosen, []

    reasons = [refusal(each, trust_units) for each in signals]
    usable = [i for i, reason in enumerate(reasons) if not reason]
    if not usable and len(signals) == 1:
        raise StemnetError(_refused(file, reasons[0]))
    if not usable:
        listed = "; ".join(
            f"'{each.name}' is {why}" for each, why in list(zip(signals, reasons, strict=True))[:6]
        )
        raise StemnetError(
            f"{file} holds {len(signals)} signals and none is an image (rows, columns): {listed}."
        )

    largest = max(_area(signals[i]) for i in usable)
    order = sorted(usable, key=lambda i: (_rank(signals[i], largest), -_area(signals[i]), i))
    best = _rank(signals[order[0]], largest)
    rivals = [i for i in order[1:] if _rank(signals[i], largest) == best]
    if not rivals:
        return signals[order[0]], []
    others = ", ".join(_label(signals, i) for i in rivals[:8]) + (", ..." if len(rivals) > 8 else "")
    note = (
        f"{file} holds {len(rivals) + 1} images; {_label(signals, order[0])} is taken. "
        f"The others: {others}. Pass signal=<number or name> to choose."
    )
    return signals[order[0]], [note]


def refusal(signal: Signal, trust_units: bool = True) -> str:
    """Return what a signal is when it is not an image or a stack of images, else an empty string."""
    shape, kind = signal.image_shape, signal.dtype.kind
    size = " x ".join(str(n) for n in shape)
    if kind == "c":
        return "an array of complex numbers (a Fourier transform or wave)"
    if kind not in "fiub" and not signal.structured_color:
        return f"an array of {'objects' if kind == 'O' else f'type {signal.dtype}'}, not of numbers"
    if 0 in shape:
        return "an empty array"
    if len(shape) == 0:
        return "a single number"
    if len(shape) == 1:
        return f"a 1-D array of {size} values (a spectrum or profile)"
    if len(shape) > 3:
        return f"a {len(shape)}-D array of {size} (4D-STEM or a series of series)"
    units = [parse_unit(axis.unit)[0] for axis in signal.image_axes]
    if "energy" in units:
        return "a spectrum image or line of spectra (an axis is in eV)"
    spectra = [axis.navigate for axis in signal.axes] in ([True, True, False], [True, False])
    if spectra and "length" not in units[-1:]:
        return f"a set of spectra ({size})"
    if trust_units and "reciprocal" in units:
        unit = next(a.unit for a, u in zip(signal.image_axes, units, strict=True) if u == "reciprocal")
        return f"a diffraction pattern or Fourier transform (its axes are in {unit})"
    if min(shape[-2:]) < SMALLEST_SIDE:
        return f"a {size} array, too small for an image"
    return ""


def _refused(what: str, reason: str) -> str:
    text = f"{what} holds {reason}; an image (rows, columns) or a stack (frames, rows, columns) "
    text += f"of at least {SMALLEST_SIDE} x {SMALLEST_SIDE} real pixels is needed."
    if "axes are in" in reason:
        return text + " If it is an image with a wrong unit, pass sampling=<A/px>."
    return text + " Export the image itself and pass that."


def _find(signals: Sequence[Signal], file: str, wanted: int | str) -> int:
    """Return the number of the signal that a number or a name asks for."""
    if isinstance(wanted, int) or str(wanted).strip().lstrip("-").isdigit():
        number = int(wanted)
        if 0 <= number < len(signals):
            return number
    else:
        text = str(wanted).casefold()
        for matches in (str.__eq__, lambda name, asked: asked in name):
            found = [i for i, each in enumerate(signals) if matches(each.name.casefold(), text)]
            if len(found) == 1:
                return found[0]
    listed = ", ".join(_label(signals, i) for i in range(min(len(signals), 20)))
    raise StemnetError(
        f"signal={wanted} does not name one signal of {file}. It holds: {listed}. Pass one of these numbers."
    )


def _label(signals: Sequence[Signal], i: int) -> str:
    return f"{i}: '{signals[i].name}' ({' x '.join(str(n) for n in signals[i].image_shape)})"


def _area(signal: Signal) -> int:
    return signal.image_shape[-2] * signal.image_shape[-1]


def _rank(signal: Signal, largest: int) -> int:
    """Return how far a signal is from being the micrograph, by its name and size; 0 is best."""
    name = signal.name.casefold()
    leaf = name.rstrip("/").rsplit("/", 1)[-1]
    if any(word in name for word in ("thumbnail", "preview", "mask", "label")) or signal.dtype.kind == "b":
        return 5
    if signal.color:
        return 4
    if 4 * _area(signal) < largest:
        return 3
    if "haadf" in name:
        return 0
    if leaf in ("image", "images", "data", "micrograph", "frames") or "adf" in name:
        return 1
    return 2
