"""How fast the verify path is, case by case (pytest-benchmark)."""
