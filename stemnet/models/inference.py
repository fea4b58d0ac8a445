"""A trained U-Net in the form in which it is quickest to ask."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_weights

from stemnet.models.unet import UNet

Sides = tuple[int, ...]
"""Widths at the top, bottom, left and right [px]."""
NOTHING: Sides = (0, 0, 0, 0)


class InferenceUNet(nn.Module):
    """The answers of a `UNet` in evaluation mode, but for rounding, in less time and memory.

    Normalizations are folded into the convolutions, and nothing is enlarged or
    concatenated: the first convolution of a level that goes up is the sum of
    one over the finer level and one over the coarser, the latter evaluated on
    its own grid with a kernel of 2 x 2 for each of four sub-pixels. Where only
    the middle of an image is asked for, each level that goes up is evaluated
    no further out than the answer depends on it.

    Parameters
    ----------
    network : UNet
        Stays as it is; what it learns later is not followed.
    precision : torch.dtype
        Of all features but the last: `torch.float32`, or `torch.bfloat16`, which moves probabilities by up to
        0.01 and is quicker on processors and GPUs that multiply it.
    """

    def __init__(self, network: UNet, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.precision = precision
        self.block, self.stride, self.reach = network.block, network.stride, network.reach
        self.down = nn.ModuleList(_Double(*_folded(level)) for level in network.down)
        self.up = nn.ModuleList(_Upwards(level) for level in network.up)
        self.to(precision)
        self.head = _convolution(network.head.weight, network.head.bias, padding=0)
        self.eval()

    def forward(self, image: Tensor, frame: Sides = NOTHING) -> Tensor:
        """Logits of an image without its frame.

        Parameters
        ----------
        image : Tensor, shape (B, inputs, H, W)
            Sides are multiples of `stride`.
        frame : tuple of int
            What is seen for the sake of the rest only, at the top, bottom,
            left and right [px]; multiples of `stride`.

        Returns
        -------
        Tensor, shape (B, outputs, H - top - bottom, W - left - right), float32
        """
        asked = tuple(width // self.block for width in frame)
        cuts = _cuts(asked, len(self.up))
        skipped = []
        x = functional.pixel_unshuffle(image, self.block).to(self.precision)
        x = x.contiguous(memory_format=torch.channels_last)
        for level, double in enumerate(self.down):
            x = double(x)
            if level < len(self.up):
                skipped.append(_without(cuts[level], x))
                x = functional.max_pool2d(x, 2)
        cut = NOTHING
        for level in reversed(range(len(self.up))):
            half = tuple(width // 2 for width in cuts[level])
            x = self.up[level](_without(_less(half, cut), x), skipped.pop())
            cut = cuts[level]
        return functional.pixel_shuffle(self.head(_without(_less(asked, cut), x).float()), self.block)


def quick_precision(device: torch.device | str) -> torch.dtype:
    """`torch.bfloat16` where a device multiplies it natively, `torch.float32` elsewhere."""
    kind = torch.device(device).type
    if kind == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # Older versions of torch cannot tell; without such instructions a processor would be slower, not quicker.
        able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        native = kind == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return torch.bfloat16 if native else torch.float32


class _Double(nn.Sequential):
    """Two convolutions, each activated in its place."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__(first, nn.SiLU(inplace=True), second, nn.SiLU(inplace=True))


class _Upwards(nn.Module):
    """A level that joins what a coarser one found to the finer."""

    def __init__(self, level: nn.Module) -> None:
        super().__init__()
        joined, second = _folded(level)
        weight, bias = joined.weight, joined.bias
        below = joined.in_channels - joined.out_channels
        self.fine = _convolution(weight[:, below:], bias, padding=1)
        self.coarse = _convolution(_sub_pixel_kernels(weight[:, :below]), None, padding=1)
        self.then = nn.Sequential(nn.SiLU(inplace=True), second, nn.SiLU(inplace=True))

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Features (B, C, 2 H, 2 W) of coarse ones (B, D, H, W) and fine ones (B, C, 2 H, 2 W)."""
        x = self.fine(fine)
        _add_sub_pixels(x, self.coarse(coarse))
        return self.then(x)


def _add_sub_pixels(fine: Tensor, parts: Tensor) -> None:
    """Add four maps (B, 4 C, H + 1, W + 1) to the sub-pixels of one (B, C, 2 H, 2 W), in its place.

    Kernels of two look back from where a pixel begins and ahead from where it ends, hence the row and column more.
    """
    tall, wide = (side // 2 for side in fine.shape[-2:])
    for number, part in enumerate(parts.chunk(4, dim=1)):
        row, col = divmod(number, 2)
        fine[..., row::2, col::2] += part[..., row : row + tall, col : col + wide]


def _sub_pixel_kernels(weight: Tensor) -> Tensor:
    """Kernels (4 C, D, 2, 2) that do to an image what 3 x 3 ones (C, D, 3, 3) do once each pixel is repeated.

    A sub-pixel at the beginning of a pixel sees the one before it once and
    its own twice; one at the end sees its own twice and the next once.
    """
    seen = weight.new_tensor([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])
    spread = torch.einsum("aki,blj->ijabkl", seen, seen)
    return torch.tensordot(weight, spread, 2).permute(2, 3, 0, 1, 4, 5).flatten(0, 2)


def _folded(level: nn.Module) -> tuple[nn.Conv2d, nn.Conv2d]:
    """The convolutions of a `DoubleConv`, each with its normalization."""
    first, its_norm, _, second, other_norm, _ = level.children()
    return _normalized(first, its_norm), _normalized(second, other_norm)  # type: ignore[arg-type]


def _normalized(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    weight, bias = fuse_conv_bn_weights(
        convolution.weight,
        None,
        norm.running_mean,  # type: ignore[arg-type]
        norm.running_var,  # type: ignore[arg-type]
        norm.eps,
        norm.weight,
        norm.bias,
    )
    return _convolution(weight, bias, padding=1)


def _convolution(weight: Tensor, bias: Tensor | None, padding: int) -> nn.Conv2d:
    """A convolution with a kernel (C, D, K, K) that learns no more."""
    outputs, inputs, tall, wide = weight.shape
    # On no device first: initial weights would be drawn from the global generator, only to be replaced.
    made = nn.Conv2d(inputs, outputs, (tall, wide), padding=padding, bias=bias is not None, device="meta")
    state = {"weight": weight.detach().clone(memory_format=torch.channels_last)}
    if bias is not None:
        state["bias"] = bias.detach().clone()
    made.load_state_dict(state, assign=True)
    return made.requires_grad_(False)


def _cuts(asked: Sides, levels: int) -> list[Sides]:
    """What each level that goes up may leave out at its sides for an answer without some [px of the level].

    Two convolutions reach 2 px, and a side must begin with a whole pixel of
    the coarser level, which in turn is asked for no more than is seen here.
    """
    cuts = []
    for _ in range(levels):
        cuts.append(tuple(max(0, width - 2) // 2 * 2 for width in asked))
        asked = tuple(width // 2 for width in cuts[-1])
    return cuts


def _less(sides: Sides, cut: Sides) -> Sides:
    return tuple(width - already for width, already in zip(sides, cut, strict=True))


def _without(sides: Sides, features: Tensor) -> Tensor:
    """Features (B, C, H, W) without some at their sides."""
    top, bottom, left, right = sides
    tall, wide = features.shape[-2:]
    inner = features[..., top : tall - bottom, left : wide - right]
    return inner.contiguous(memory_format=torch.channels_last)
