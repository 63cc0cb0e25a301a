"""What dashboards refuse."""

from steerway.platform.errors import Invalid


class NotADashboard(Invalid):
    """The file is something else."""

    message = "{file} is no dashboard of Grafana: {why}. Export one with Share, Export, JSON."


class NothingToImport(Invalid):
    """No panel could be translated."""

    message = "Nothing of {file} can be imported: {why}."
