"""The weights file: comes back as it was, alone, and runs nothing that it names."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stemnet import resources
from stemnet.detection.judge import Judge
from stemnet.detection.normalization import Normalization
from stemnet.errors import StemnetError
from stemnet.models import checkpoint
from stemnet.models.checkpoint import Card, load, round_as_saved, save
from stemnet.models.unet import UNet

CARD = Card(
    network={"_target_": "stemnet.models.unet.UNet", "base": 4, "levels": 2},
    normalization={"window": 12.0, "floor": 0.3},
    width=(1.5, 5.0),
    working_width=3.0,
    sampling=(0.04, 0.45),
    threshold=0.42,
    domain="what a test shows, in Å and µ",
    scores={"f1": 0.9, "rmse": 0.1},
    config={"seed": 3, "nested": {"list": [1, 2.5, None, "x"]}},
    versions={"torch": "2"},
)


@pytest.fixture
def file(tmp_path):
    """A weights file of a network with statistics of its own."""
    torch.manual_seed(1)
    network = UNet(4, 2)
    network(torch.randn(4, 1, 16, 16))
    save(tmp_path / "deep" / "w.safetensors", network, CARD)
    return tmp_path / "deep" / "w.safetensors", network.eval()


def rewritten(path, change):
    """The same file with another header."""
    tensors = load_file(path)
    header = {"format": checkpoint.FORMAT, **json.loads(json.dumps(vars(load(path).card)))}
    change(header, tensors)
    save_file(tensors, path, metadata={"stemnet": json.dumps(header)})
    return path


def test_a_file_comes_back_as_it_was(file):
    path, network = file
    loaded = load(path)
    assert loaded.card == CARD
    assert not loaded.network.training
    image = torch.randn(1, 1, 16, 16)
    with torch.inference_mode():
        # Kernels are kept to 11 bits.
        torch.testing.assert_close(loaded.network(image), network(image), rtol=1e-3, atol=1e-4)
        round_as_saved(network)
        torch.testing.assert_close(loaded.network(image), network(image), rtol=0, atol=0)
    save(path.with_name("again.safetensors"), loaded.network, loaded.card)
    assert load(path.with_name("again.safetensors")).sha256 == loaded.sha256


def test_loading_draws_no_random_number(file):
    before = torch.random.get_rng_state()
    load(file[0])
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h, t: h["network"].update(_target_="os.system"), "names the network 'os.system'"),
        (lambda h, t: h["network"].update(_target_="stemnet.models.vae.VAE"), "names the network"),
        (lambda h, t: h["network"].pop("_target_"), "names the network 'None'"),
        (lambda h, t: h["network"].update(base=8), "do not fit"),
        (lambda h, t: h["network"].update(base="wide"), "do not fit"),
        (lambda h, t: h["network"].update(depth=3), "do not fit"),
        (lambda h, t: h.pop("network"), "names the network 'None'"),
        (lambda h, t: h.pop("width"), "do not fit"),
        (lambda h, t: h.update(color="red"), "do not fit"),
        (lambda h, t: t.popitem(), "do not fit"),
        (lambda h, t: h.update(format="stemnet-weights/0"), "another format"),
    ],
)
def test_a_file_that_says_something_else_is_refused(file, change, words: str):
    with pytest.raises(StemnetError, match=words):
        load(rewritten(file[0], change))


@pytest.mark.parametrize("keep", [0, 4, 100, 3000, -1])
def test_a_torn_file_is_refused(file, keep: int):
    path = file[0]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(StemnetError, match="is not a stemnet weights file"):
        load(path)


def test_another_program_s_file_is_refused(file, tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    torch.save(file[1].state_dict(), tmp_path / "pickled.ckpt")
    for name in ("other.safetensors", "pickled.ckpt"):
        with pytest.raises(StemnetError, match="is not a stemnet weights file"):
            load(tmp_path / name)
    with pytest.raises(StemnetError, match="There is no weights file"):
        load(tmp_path / "nowhere.safetensors")


def test_a_changed_byte_is_no_traceback(file):
    path = file[0]
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, 2500, 60):
        path.write_bytes(whole[:place] + bytes([rng.integers(256)]) + whole[place + 1 :])
        try:
            load(path)
        except StemnetError:
            refused += 1
    # What is left changes a word of the card, or a weight.
    assert refused > 20


def test_the_shipped_weights_tell_all_that_predicting_needs():
    path = resources.weights()
    assert path.stat().st_size < 10e6
    card = load(path).card
    assert Judge.from_card(card.acceptance) is not None
    Normalization(**card.normalization)
    assert 0 < card.threshold < 1
    assert card.width[0] < card.working_width < card.width[1]
    assert card.sampling[0] < card.sampling[1]
    assert card.domain
    assert 0.5 < card.scores["f1"] <= 1
