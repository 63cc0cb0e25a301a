"""What takes telemetry in and has it stored."""

from steerway.telemetry.ingest.workflows.intake import Intake, Parcel

__all__ = ["Intake", "Parcel"]
