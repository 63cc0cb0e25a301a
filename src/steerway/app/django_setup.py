"""Django made ready outside its own commands: loaded, and the tables brought up to date."""

import os

import django
from django.db import DEFAULT_DB_ALIAS, connections


def load() -> None:
    """Load Django's settings and apps."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "steerway.app.django_settings"  # noqa: TID251 -- Django asks for it
    django.setup()


def prepare() -> None:
    """Load Django and run the migrations that are missing."""
    load()
    from django.core.management import call_command  # noqa: PLC0415 -- needs loaded apps
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415 -- the same

    from steerway.platform.db import one_server_at_a_time  # noqa: PLC0415 -- the same

    with one_server_at_a_time():
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
