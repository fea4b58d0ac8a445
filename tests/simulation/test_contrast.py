"""Cross-sections: the limits that a screened Coulomb field has."""

import numpy as np
import pytest

from stemnet import StemnetError
from stemnet.simulation.contrast import cross_section, z_exponent


def test_everything_collected_goes_as_the_four_thirds_power():
    assert z_exponent(200, 0, 1e6) == pytest.approx(4 / 3, abs=0.01)


def test_the_exponent_rises_with_the_inner_angle_towards_two():
    exponents = [z_exponent(100, inner, 300) for inner in (20, 50, 90, 150)]
    assert np.all(np.diff(exponents) > 0)
    assert 1.4 < exponents[0] < exponents[-1] < 2.0


def test_rings_add_up():
    whole = cross_section(42, 80, 40, 200)
    assert cross_section(42, 80, 40, 90) + cross_section(42, 80, 90, 200) == pytest.approx(float(whole))


def test_far_out_it_is_rutherfords():
    """Unscreened, non-relativistic but for the mass: pi (2 gamma Z / (a0 k^2))^2 (1 / inner^2 - 1 / outer^2)."""
    gamma, k, a0 = 1 + 200 / 510.999, 2 * np.pi / 0.0250793, 0.529177
    wanted = np.pi * (2 * gamma * 6 / (a0 * k**2)) ** 2 * (1 / 0.2**2 - 1 / 0.4**2)
    assert float(cross_section(6, 200, 200, 400)) == pytest.approx(wanted, rel=0.02)


def test_a_ring_inside_out_is_refused():
    with pytest.raises(StemnetError, match="larger"):
        cross_section(6, 200, 90, 60)


def test_electrons_without_a_voltage_are_refused():
    with pytest.raises(StemnetError, match="positive voltage"):
        z_exponent(-80.0, 50.0, 200.0)
