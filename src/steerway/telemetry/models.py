"""The tables of this area, process by process."""

from steerway.telemetry.collectors.models import PausedCollector
from steerway.telemetry.coverage.models import CoverageCell

__all__ = ["CoverageCell", "PausedCollector"]
