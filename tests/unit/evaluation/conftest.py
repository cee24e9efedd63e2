"""Hypothesis without a stopwatch: what is slow on a busy machine is not wrong."""

from hypothesis import HealthCheck, settings

settings.register_profile("core", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")
