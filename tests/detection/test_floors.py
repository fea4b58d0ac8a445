"""What the shipped weights reach on the bundled examples must not be lost."""

import pytest

from stemnet import resources, storage
from stemnet.detection.segmenter import find_columns
from stemnet.doors.judging import judge
from stemnet.models.checkpoint import load
from stemnet.reading import read_micrograph

FLOOR = 0.985
LOWER = {
    "remos2_95": 0.975,
    "srtio3_mistilt": 0.96,
    "sparse_on_carbon": 0.9,
}
"""What is not told apart yet: Re beside Mo, O pulled by a mistilt, atoms on texture."""
DOUBTED = ("sparse_on_carbon",)
EXAMPLES = sorted(
    path.name.removesuffix(".truth.csv") for path in resources.simulated_data().glob("*.truth.csv")
)


@pytest.fixture(scope="module")
def weights():
    return load(resources.weights())


@pytest.mark.parametrize("name", EXAMPLES)
def test_columns_of_the_bundled_examples_are_found(name: str, weights):
    folder = resources.simulated_data()
    micrograph = read_micrograph(folder / f"{name}.tif")
    truth = storage.read_columns_csv(folder / f"{name}.truth.csv", shape=micrograph.shape)
    found = find_columns(micrograph, weights)
    judgment = judge(found.columns, truth, found.width)
    assert judgment.scores["f1"] >= LOWER.get(name, FLOOR)
    assert found.confident == (name not in DOUBTED)
    assert found.dark == name.endswith("_abf")
    if name not in DOUBTED:
        assert abs(found.expected_f1 - judgment.scores["f1"]) < 0.08
