"""Taking a number."""

from steerway.platform.numbers.models import Series


def take(name: str) -> int:
    """The next number of the series `name`. Two callers queue at its row."""
    series, _ = Series.objects.select_for_update().get_or_create(name=name)
    series.value += 1
    series.save(update_fields=["value"])
    return series.value
