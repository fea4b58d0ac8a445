"""Tiled is whole."""

import pytest
import torch
from torch.nn import functional

from stemnet import resources
from stemnet.detection.normalization import Normalization
from stemnet.detection.tiling import FRAME, _shares, apply_tiled
from stemnet.models.checkpoint import load
from stemnet.models.inference import InferenceUNet
from stemnet.models.unet import UNet
from stemnet.reading import read_micrograph


@pytest.fixture(scope="module")
def network() -> UNet:
    """With statistics that do not forgive a frame of zeros."""
    torch.manual_seed(0)
    network = UNet(4, 3)
    network(1 + 3 * torch.randn(4, 1, 32, 32))
    return network.eval()


def whole(network: UNet, image: torch.Tensor) -> torch.Tensor:
    """The image in one piece, filled up to whole strides."""
    height, width = image.shape
    padded = functional.pad(image, (0, -width % network.stride, 0, -height % network.stride))
    with torch.inference_mode():
        return network(padded[None, None])[0, 0, :height, :width].sigmoid()


@pytest.mark.parametrize("shape", [(64, 64), (97, 131), (130, 50), (33, 7), (1, 90), (3, 2)])
@pytest.mark.parametrize("tile", [8, 30, 32, 61])
def test_tiled_is_whole(network: UNet, shape: tuple[int, int], tile: int):
    image = 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))
    tiled = apply_tiled(InferenceUNet(network), image, tile=tile)
    assert tiled.shape == image.shape
    torch.testing.assert_close(tiled, whole(network, image), rtol=0, atol=1e-5)


def test_what_a_tile_does_not_see_hardly_matters():
    weights = load(resources.weights())
    micrograph = read_micrograph(resources.simulated_data() / "srtio3_mistilt.tif")
    image = Normalization(**weights.card.normalization)(torch.as_tensor(micrograph.image[None]))[0]
    assert min(image.shape) > 32 + FRAME
    tiled = apply_tiled(InferenceUNet(weights.network), image, tile=32 * (image.shape[0] // 64))
    assert (tiled - whole(weights.network, image)).abs().max() < 5e-4


def test_progress_is_told_tile_by_tile(network: UNet):
    told = []
    quick = InferenceUNet(network)
    apply_tiled(quick, torch.zeros(64, 100), tile=32, progress=lambda done, steps: told.append((done, steps)))
    assert told == [(number, 8) for number in range(1, 9)]


def test_the_image_stays_as_it_is_and_the_answer_may_be_changed(network: UNet):
    image = torch.randn(40, 40)
    before = image.clone()
    answer = apply_tiled(InferenceUNet(network), image, tile=16)
    answer += 1
    assert torch.equal(image, before)
    assert ((answer >= 1) & (answer <= 2)).all()


@pytest.mark.parametrize(
    ("length", "tile"), [(64, 32), (100, 32), (4, 32), (1100, 1024), (36, 1), (1000, 30)]
)
def test_tiles_are_about_equal_and_no_longer_than_they_may_be(length: int, tile: int):
    stride = 4
    shares = _shares(length, tile, stride)
    begins, ends = zip(*shares, strict=True)
    assert begins == (0, *ends[:-1])
    assert ends[-1] == length
    sides = [end - begin for begin, end in shares]
    assert max(sides) < tile + stride
    assert all(side % stride == 0 for side in sides)
    assert len(shares) <= -(-length // (-(-tile // stride) * stride))
