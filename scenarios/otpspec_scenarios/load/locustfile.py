"""For Locust itself, with its web page: locust -f PATH --otp-target acs.toml

Locust's own --host, where it is given, takes the place of the profile's base_url.
"""

from typing import Any

from locust import events
from locust.env import Environment

from otpspec.load.user import OtpUser, set_up
from otpspec_scenarios.load.behaviours import DAY


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


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def read_profile(environment: Environment, **_: Any) -> None:
    """Read the profile, and begin to count, whenever a test is started."""
    options: Any = environment.parsed_options
    set_up(
        environment,
        target=options.otp_target,
        base_url=environment.host or None,
        seed=options.otp_seed,
        mix=DAY,
    )


class Payer(OtpUser):
    """The people of a day."""
