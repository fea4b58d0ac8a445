"""The quick form of a network answers as the network does."""

import pytest
import torch

from stemnet import resources
from stemnet.models.checkpoint import load
from stemnet.models.inference import InferenceUNet
from stemnet.models.unet import UNet

FRAMES = [(0, 0, 0, 0), (1, 0, 0, 2), (1, 1, 1, 1), (3, 2, 4, 1), (5, 5, 5, 5)]


def trained(**kind: object) -> UNet:
    """With statistics and scales that are no identity."""
    torch.manual_seed(1)
    network = UNet(**kind)
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.weight, 0.5, 2)
            torch.nn.init.normal_(part.bias)
    network(1 + 3 * torch.randn(4, network.down[0][0].in_channels // network.block**2, 64, 64))
    return network.eval()


@pytest.mark.parametrize(
    "kind",
    [
        {"base": 4, "levels": 1},
        {"base": 4, "levels": 3, "inputs": 2, "outputs": 3},
        {"base": 4, "levels": 4, "most": 8},
        {"base": 8, "levels": 3, "block": 2},
    ],
    ids=str,
)
def test_its_logits_are_the_network_s_without_the_frame(kind: dict):
    network = trained(**kind)
    quick = InferenceUNet(network)
    stride = network.stride
    image = torch.randn(2, kind.get("inputs", 1), 11 * stride, 12 * stride)
    with torch.inference_mode():
        whole = network(image)
        for frame in FRAMES:
            top, bottom, left, right = (width * stride for width in frame)
            inner = whole[..., top : image.shape[2] - bottom, left : image.shape[3] - right]
            torch.testing.assert_close(quick(image, (top, bottom, left, right)), inner, rtol=1e-5, atol=1e-5)


def test_the_weights_that_come_with_stemnet_lose_nothing():
    network = load(resources.weights()).network
    image = torch.randn(1, 1, 224, 256, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(InferenceUNet(network)(image), network(image), rtol=0, atol=3e-5)


def test_one_pixel_in_each_direction_is_an_image():
    network = trained(base=4, levels=3)
    image = torch.randn(1, 1, network.stride, network.stride)
    torch.testing.assert_close(InferenceUNet(network)(image), network(image), rtol=1e-5, atol=1e-5)


def test_it_takes_the_network_as_it_is_and_leaves_it_and_chance_alone():
    network = trained(base=4, levels=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state, image = torch.get_rng_state(), torch.ones(1, 1, 16, 16)
    quick = InferenceUNet(network)
    answer = quick(image)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(image, torch.ones(1, 1, 16, 16))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert torch.equal(quick(image), answer)
    assert not any(parameter.requires_grad for parameter in quick.parameters())
    assert (quick.stride, quick.reach) == (network.stride, network.reach)
