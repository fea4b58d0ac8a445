import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from stemnet.storage import json_text, write_metrics


@dataclass
class Scores:
    f1: float
    rmse_px: np.float32


def test_metrics_are_strict_json_whatever_numpy_gave(tmp_path):
    metrics = {
        "columns": np.int64(3),
        "nan": float("nan"),
        "inf": np.float32(np.inf),
        "flag": np.bool_(True),
        "array": np.array([[1.0, np.nan]]),
        "nested": MappingProxyType({1: (Path("a/b"), None)}),
        "scores": Scores(0.5, np.float32(0.25)),
        "words": "Å",
    }
    write_metrics(tmp_path / "metrics.json", metrics)
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(text, parse_constant=refuse) == {
        "columns": 3,
        "nan": None,
        "inf": None,
        "flag": True,
        "array": [[1.0, None]],
        "nested": {"1": [str(Path("a/b")), None]},
        "scores": {"f1": 0.5, "rmse_px": 0.25},
        "words": "Å",
    }
    assert json.loads(json_text(metrics)) == json.loads(text)
