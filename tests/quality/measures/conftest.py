"""No property test of a measure is timed: speed is what tests/benchmarks/measures.py is about."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
