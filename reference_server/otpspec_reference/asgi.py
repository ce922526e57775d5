"""The server as an app to import, for use without a process of its own.

Its test hooks are on where the environment has a token for them (OTPSPEC_TEST_TOKEN).
"""

import os

from otpspec_reference.app import create_app
from otpspec_reference.settings import Settings, new_token

_token = os.environ.get("OTPSPEC_TEST_TOKEN", "")
app = create_app(Settings(test_hooks=bool(_token), test_token=_token or new_token()))
