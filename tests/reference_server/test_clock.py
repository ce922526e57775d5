"""The clock: real time, moved and sped up, and seen to stand still where it is frozen."""

from datetime import timedelta

import pytest
from freezegun import freeze_time

from otpspec_reference import Settings, create_app
from otpspec_reference.clock import Clock


def test_clock_that_nobody_moves_is_real_time() -> None:
    assert Clock(real=lambda: 123.25).now() == 123.25


def test_jumps_add_up() -> None:
    clock = Clock(real=lambda: 100.0)

    clock.advance(5)
    clock.advance(0)
    clock.advance(0.5)

    assert (clock.now(), clock.jumps) == (105.5, 3)


def test_rate_speeds_time_up_from_when_it_is_set() -> None:
    real = [1000.0]
    clock = Clock(rate=60, real=lambda: real[0])
    real[0] += 10
    assert clock.now() == 1600.0

    clock.set_rate(2)
    real[0] += 10

    assert clock.now() == 1620.0


def test_reset_goes_back_to_real_time_at_the_rate_of_the_start() -> None:
    real = [1000.0]
    clock = Clock(rate=60, real=lambda: real[0])
    clock.set_rate(2)
    clock.advance(500)
    real[0] += 10

    clock.reset()

    assert (clock.now(), clock.rate, clock.jumps) == (1010.0, 60, 2)
    real[0] += 1
    assert clock.now() == 1070.0


@pytest.mark.parametrize("rate", [1, 60])
def test_frozen_time_is_followed_though_the_app_was_made_before(rate: float) -> None:
    app = create_app(Settings(clock_rate=rate))

    with freeze_time("2031-05-05", real_asyncio=True) as frozen:
        before = app.state.clock.now()
        assert app.state.clock.now() == before
        frozen.tick(timedelta(seconds=10))
        assert app.state.clock.now() == pytest.approx(before + 10 * rate)
