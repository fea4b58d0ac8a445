"""A search that keeps what it tried and goes on after a cut."""

import csv

import pytest
from omegaconf import OmegaConf

from stemnet.doors import searching
from stemnet.doors.searching import Space, search_from, typed_settings
from stemnet.errors import StemnetError

VARY = {
    "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
    "loss": ["bce", "dice"],
    "patch": {"low": 1, "high": 4},
}


def asked(folder, trials, **space):
    call = {"_target_": "stemnet.doors.searching.Space", "_convert_": "all", "door": "train", "number": "f1"}
    call |= {"direction": "maximize", "settings": {"quiet": True}, "vary": VARY, **space}
    return OmegaConf.create(
        {"space": call, "folder": str(folder), "trials": trials, "seed": 0, "settings": {"epochs": 2}}
    )


def score(settings):
    given = dict(one.split("=") for one in settings)
    return -abs(float(given["learning_rate"]) - 0.01) + 0.1 * (given["loss"] == "dice")


def test_settings_are_spelled_as_they_are_typed():
    settings = {
        "embedding": ["vae"],
        "figures": False,
        "truth": None,
        "space": {"low": 0.5},
        "input": "a (2).tif",
    }
    assert typed_settings(settings) == [
        "embedding=[vae]",
        "figures=false",
        "truth=null",
        "space.low=0.5",
        "input=a (2).tif",
    ]


@pytest.mark.parametrize("wrong", [{"door": "fly"}, {"direction": "up"}, {"vary": {}}])
def test_a_space_that_is_none_is_refused(wrong):
    right = {"door": "train", "number": "f1", "direction": "maximize", "settings": {}, "vary": VARY}
    with pytest.raises(StemnetError, match="give door train or predict"):
        Space(**{**right, **wrong})


def test_without_optuna_the_way_to_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(StemnetError, match=r"pip install 'stemnet\[sweep\]'"):
        search_from(asked(tmp_path, 1))


def test_a_search_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    pytest.importorskip("optuna", reason="an optional extra")
    tried = []

    def run(space, folder, name, settings):
        if len(tried) == 3:
            tried.append(None)
            raise KeyboardInterrupt
        tried.append(settings)
        return (None, "no f1 (why)") if len(tried) == 2 else (score(settings), "")

    monkeypatch.setattr(searching, "_run", run)
    with pytest.raises(KeyboardInterrupt):
        search_from(asked(tmp_path, 12))
    search_from(asked(tmp_path, 12))
    with (tmp_path / "search.csv").open() as file:
        rows = list(csv.DictReader(file))
    states = [row["state"] for row in rows]
    # the failed and the cut-off trial are named, and not counted
    assert states.count("complete") == 12
    assert states.count("fail") == 2
    assert all(one[:2] == ["quiet=true", "epochs=2"] for one in tried if one)
    assert len({tuple(one) for one in tried if one}) == len(tried) - 1
    assert "no f1 (why)" in capsys.readouterr().out
    with pytest.raises(StemnetError, match="another space"):
        search_from(asked(tmp_path, 13, number="rmse"))


def test_if_the_first_trial_cannot_be_run_none_is(tmp_path, monkeypatch):
    pytest.importorskip("optuna", reason="an optional extra")
    monkeypatch.setattr(searching, "_run", lambda *_: (None, "no f1 (a reason)"))
    with pytest.raises(StemnetError, match="a reason"):
        search_from(asked(tmp_path, 5))
