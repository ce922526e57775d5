"""Where the generator was late: it says when, by how much, and for want of what."""

from otpspec.load import Arrivals
from otpspec.load.punctual import CARDS, CONNECTIONS, CPU, Punctual


def kept(requests: int = 1000) -> Punctual:
    punctual = Punctual()
    for n in range(requests):
        punctual.acted(n / 100, n / 100 + 0.001)
    return punctual


def test_a_schedule_that_was_kept_is_not_talked_about() -> None:
    punctual = kept()

    assert punctual.notes(1000) == []
    assert punctual.trusted(1000)
    assert punctual.schedule(Arrivals.parse("100/s", "constant", 10)).late_max_ms == 1.0


def test_latency_is_not_trusted_where_the_generator_was_late() -> None:
    punctual = kept()
    for n in range(5):
        punctual.acted(4.0 + n / 10, 5.0 + n / 10)

    assert not punctual.trusted(1005)
    assert punctual.notes(1005) == [
        "latency is not to be trusted: the generator did not keep its schedule",
        "the generator was late at 4 to 5 s: 5 requests by up to 1,000 ms; the load process had no "
        "more processor time; more processes have (--processes)",
    ]


def test_one_late_request_of_many_is_said_and_trusted() -> None:
    punctual = kept()
    punctual.waited(CONNECTIONS, 2.0, 2.5)

    assert punctual.trusted(10_000)
    assert punctual.notes(10_000) == [
        "the generator was late at 2 to 3 s: 1 request by up to 500 ms; all connections were in "
        "use; --connections allows more",
    ]


def test_seconds_that_follow_each_other_are_told_in_one_piece() -> None:
    punctual = kept()
    for second in (1, 2, 3, 7):
        punctual.waited(CARDS, float(second), second + 0.02 * second)

    limits = [
        (limit.cause, limit.from_s, limit.to_s, limit.requests) for limit in punctual.limits()
    ]
    assert limits == [(CARDS, 1.0, 4.0, 3), (CARDS, 7.0, 8.0, 1)]


def test_causes_are_told_apart() -> None:
    punctual = kept()
    punctual.acted(1.0, 1.5)
    punctual.waited(CARDS, 1.0, 1.5)

    assert {limit.cause for limit in punctual.limits()} == {CPU, CARDS}
