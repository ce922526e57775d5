"""`python -m otpspec_reference`"""

import sys

from otpspec_reference.command import main

sys.exit(main())
