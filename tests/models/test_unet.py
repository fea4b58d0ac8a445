"""Contracts of the network that tiling, training and the weights file rely on."""

import pytest
import torch

from stemnet.models.unet import UNet


@pytest.mark.parametrize(("base", "levels"), [(4, 1), (4, 2), (8, 3), (4, 4)])
def test_it_keeps_the_size_of_any_image_of_whole_strides(base: int, levels: int):
    network = UNet(base, levels).eval()
    assert network.stride == 2 ** (levels - 1)
    for tall, wide in ((1, 1), (3, 5)):
        image = torch.randn(2, 1, tall * network.stride, wide * network.stride)
        logits = network(image)
        assert logits.shape == image.shape
        assert torch.isfinite(logits).all()


def test_the_default_is_half_a_million_parameters():
    assert sum(parameter.numel() for parameter in UNet().parameters()) == pytest.approx(0.49e6, rel=0.02)


def test_deep_levels_may_stay_narrow():
    wide, narrow = UNet(4, 4), UNet(4, 4, most=8)
    assert narrow.reach == wide.reach
    assert [level[0].out_channels for level in narrow.down] == [4, 8, 8, 8]
    image = torch.randn(1, 1, 16, 24)
    assert narrow(image).shape == image.shape


def test_every_parameter_learns():
    torch.manual_seed(0)
    network = UNet(4, 3, outputs=2)
    network(torch.randn(3, 1, 16, 24)).square().mean().backward()
    still = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == []


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_an_answer_depends_on_nothing_beyond_the_reach(levels: int):
    torch.manual_seed(levels)
    network = UNet(4, levels).eval()
    reach, stride = network.reach, network.stride
    assert reach % stride == 0
    side = 2 * (reach + stride) + stride
    middle = side // 2 // stride * stride
    farthest = 0
    # Pooling treats the places within a stride differently.
    for place in {
        (middle, middle),
        (middle + stride - 1, middle),
        (middle + stride // 2, middle + stride - 1),
    }:
        image = torch.randn(1, 1, side, side, requires_grad=True)
        network(image)[0, 0][place].backward()
        seen = torch.nonzero(image.grad[0, 0]) - torch.tensor(place)
        farthest = max(farthest, int(seen.abs().max()))
    assert reach / 2 < farthest <= reach
