"""The judge of histories: is there an order of the operations that the rules allow?

`judge` judges all cards of a history, `judge_card` the calls on one. What is broken comes with the
smallest history that still is, in words.
"""

from otpspec.linearize.search import Legality
from otpspec.linearize.whole import BUDGET, Broken, Judged, judge, judge_card

__all__ = ["BUDGET", "Broken", "Judged", "Legality", "judge", "judge_card"]
