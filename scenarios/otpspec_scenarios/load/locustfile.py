"""For Locust itself, with its web page: locust -f PATH --otp-target acs.toml

Locust's own --host, where it is given, takes the place of the profile's base_url.
"""

from typing import Any

from locust import events
from locust.env import Environment

from otpspec.load.under_locust import Settings, join, prepare, set_up, tear_down
from otpspec.load.user import OtpUser


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_options(parser: Any) -> None:
    """The options that are otpspec's."""
    parser.add_argument(
        "--otp-target",
        env_var="OTPSPEC_TARGET",
        default="safekey-reference",
        help="the target's profile: a path, or the name of a shipped one",
    )
    parser.add_argument("--otp-seed", type=int, default=0, help="seed of the users' random choices")
    parser.add_argument(
        "--otp-rate",
        default="",
        help="journeys a second, whatever the target does: 300/s, 10..500/s, 100/s,200/s; the "
        "users share it",
    )
    parser.add_argument("--otp-arrivals", default="constant", choices=("constant", "poisson"))
    parser.add_argument(
        "--otp-connections", type=int, default=1000, help="with --otp-rate: how many at most"
    )
    parser.add_argument(
        "--otp-think",
        type=float,
        default=0.0,
        help="seconds between an answer and the next request",
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def take_part(environment: Environment, **_: Any) -> None:
    """Know the other processes of the run: Locust's --master, --worker, --processes."""
    join(environment)
    prepare(environment, settings(environment))


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def read_profile(environment: Environment, **_: Any) -> None:
    """Read the profile, and begin to count, whenever a test is started."""
    set_up(environment, settings(environment))


def settings(environment: Environment) -> Settings:
    """What the options, or the page, say."""
    options: Any = environment.parsed_options
    return Settings(
        target=options.otp_target,
        base_url=environment.host or None,
        seed=options.otp_seed,
        rate=options.otp_rate,
        arrivals=options.otp_arrivals,
        connections=options.otp_connections,
        think_s=options.otp_think,
    )


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def hang_up(environment: Environment, **_: Any) -> None:
    """End what the test has started."""
    tear_down(environment)


class Payer(OtpUser):
    """The people of the profile's mix, or those of a real day."""
