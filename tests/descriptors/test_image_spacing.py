import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from stemnet.descriptors.image_spacing import image_spacing
from stemnet.errors import StemnetError
from stemnet.simulation.examples import load_example

# a period of 1.4 of the others where unlike columns are told apart: the shorter serves as well
SPACINGS = {
    "pbtio3_domains": 23.6, "bifeo3_closure": 24.8, "remos2_05": 26.3, "remos2_78": 26.5, "mvteo_m2": 24.3,
    "wsse_janus": 27.1, "mos2_defects": 26.3, "graphene_low_dose": 24.5, "srtio3_tilt_strain_abf": 23.1,
    "dislocations": 24.5, "si110_dumbbells": 33.3, "au_nanoparticle": 20.7,
}  # fmt: skip


@pytest.mark.parametrize("name", SPACINGS)
def test_the_period_of_every_example_within_a_pixel(name):
    found = image_spacing(load_example(name).micrograph.frames[0])
    print(name, found)
    assert found == pytest.approx(SPACINGS[name], abs=1.0)


def test_two_grains_have_the_period_of_one():
    found = image_spacing(load_example("grain_boundary").micrograph.frames[0])
    assert found == pytest.approx(26.05 / np.sqrt(2), abs=0.6)  # of the mixed columns, as those found show it


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(0).normal(size=(256, 256)),
        gaussian_filter(np.random.default_rng(0).normal(size=(512, 512)), 3),
        np.cos(np.arange(200) / 3)[:, None] + np.zeros((1, 200)),
        np.ones((100, 100)),
        np.full((100, 100), np.nan),
    ],
    ids=["noise", "colored noise", "stripes", "constant", "unknown"],
)
def test_what_does_not_repeat_has_no_period(image):
    assert image_spacing(image) is None


def test_atoms_at_random_have_no_period():
    assert image_spacing(load_example("sparse_on_carbon").micrograph.frames[0]) is None


def test_offset_unit_and_holes_do_not_matter():
    image = load_example("remos2_78").micrograph.frames[0].astype(np.float32)
    plain = image_spacing(image)
    assert image_spacing(500 - 3 * image) == pytest.approx(plain, abs=1e-3)
    image[200:260, 100:180] = np.nan
    assert image_spacing(image) == pytest.approx(plain, abs=1.0)


def test_what_is_no_image_gets_a_sentence():
    with pytest.raises(StemnetError, match=r"\(2, 30, 30\)"):
        image_spacing(np.zeros((2, 30, 30)))
