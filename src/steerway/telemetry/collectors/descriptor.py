"""The `telemetry.suppliers` section."""

from pydantic import Field

from steerway.platform.descriptor.section import Name, Section


class SupplierSection(Section):
    """Somebody outside whom the service needs."""

    name: Name = Field(description="What people call it; the label `supplier` of its series.")
    url: str = Field(
        pattern=r"^https?://[!-~]+$",
        max_length=1000,
        description="Address that is asked every 30 seconds whether it answers.",
    )
