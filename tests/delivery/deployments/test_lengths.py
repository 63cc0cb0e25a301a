"""What a descriptor may say fits into the columns that keep it; SQLite would not notice."""

from steerway.delivery.deployments.models import Deployment
from steerway.delivery.repositories.descriptor import REF_LENGTH_MAX
from steerway.planning.changes.models import Change


def test_a_reference_fits_into_a_deployment_and_its_change() -> None:
    summary = f"Deploy {'r' * REF_LENGTH_MAX} in {'e' * 40}"

    assert (Deployment._meta.get_field("ref_asked").max_length or 0) >= REF_LENGTH_MAX
    assert len(summary) <= (Change._meta.get_field("summary").max_length or 0)
