"""Settings of the real server for the tests: tables straight from the models, the small pages."""

from steerway.app.django_settings import *  # noqa: F403
from steerway.app.django_settings import AREAS

ROOT_URLCONF = "tests.platform.identity.stage"
STEERWAY_STARTER = "tests.platform.identity.stage.start"
MIGRATION_MODULES = dict.fromkeys(AREAS)
