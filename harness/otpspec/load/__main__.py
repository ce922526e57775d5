"""`python -m otpspec.load`: the load process. It takes its order from who starts it."""

from otpspec.load.child import main

main()
