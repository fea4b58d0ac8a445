"""Whether tuning helped and whether anything was forgotten, in words; and whose settings count."""

import pytest
from omegaconf import OmegaConf

from stemnet import resources
from stemnet.doors.tuning import comparison, initial_weights
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import load


def scores(crystal: tuple[float, float], everything: tuple[float, float]) -> dict[str, float]:
    pairs = {"crystal": crystal, "everything": everything}
    f1 = {
        f"{name}_f1_{when}": pair[i]
        for name, pair in pairs.items()
        for i, when in enumerate(("before", "after"))
    }
    return {**f1, **{name.replace("f1", "rmse"): 0.4 for name in f1}}


@pytest.mark.parametrize(
    ("crystal", "everything", "said", "not_said"),
    [
        ((0.8, 0.9), (0.9, 0.895), "Nothing was forgotten", "keep the initial weights"),
        ((0.8, 0.9), (0.9, 0.85), "fell by 0.050", "Nothing"),
        ((0.9, 0.9), (0.9, 0.91), "keep the initial weights", "Something"),
    ],
)
def test_what_came_of_it_is_said_plainly(crystal, everything, said, not_said):
    words = comparison(scores(crystal, everything), "Au [110]")
    assert said in words
    assert not_said not in words


def config():
    return OmegaConf.create(
        {
            "initial": "shipped",
            "model": {"_target_": "stemnet.models.unet.UNet", "base": 3, "levels": 2},
            "normalization": {
                "_target_": "stemnet.detection.normalization.Normalization",
                "window": 5.0,
                "floor": 0.1,
            },
            "working_width": 2.0,
        }
    )


def test_network_and_preparation_are_those_of_the_weights():
    settings, card = config(), load(resources.weights()).card
    initial_weights(settings, ["crystal=Au"])
    assert settings.model == card.network
    assert settings.normalization.window == card.normalization["window"]
    assert settings.normalization._target_.endswith("Normalization")
    assert settings.working_width == card.working_width


def test_a_network_that_was_typed_and_is_another_is_refused():
    for typed in ("model.base=3", "model=unet", "normalization.window=5", "working_width=2"):
        with pytest.raises(StemnetError, match=f"leave {typed.split('.')[0].split('=')[0]} out"):
            initial_weights(config(), [typed])


def test_a_network_that_was_typed_and_is_the_same_is_not():
    settings, card = config(), load(resources.weights()).card
    settings.model = {"outputs": 1, "inputs": 1, **card.network}
    assert initial_weights(settings, ["model.inputs=1"]) is not None
    settings.initial = None
    assert initial_weights(settings, []) is None
