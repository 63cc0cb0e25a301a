"""What each permission asks for: the least role that has it."""

from typing import Final

from steerway.platform.roles import Role

PERMISSIONS: Final[dict[str, Role]] = {
    # Everybody who is signed in.
    "records.read": Role.VIEWER,
    # Planning.
    "services.apply": Role.DEVELOPER,
    "services.pause": Role.OPERATOR,
    "services.resume": Role.OPERATOR,
    "changes.hold": Role.OPERATOR,
    "changes.freeze": Role.OPERATOR,
    "changes.override": Role.OPERATOR,
    # Delivery.
    "deployments.start": Role.DEVELOPER,
    "deployments.cancel": Role.DEVELOPER,
    "deployments.rollback": Role.DEVELOPER,
    "deployments.steer": Role.DEVELOPER,
    "flags.change": Role.DEVELOPER,
    "flags.turn-off": Role.DEVELOPER,
    "flags.evaluate": Role.VIEWER,
    # Telemetry.
    "collectors.pause": Role.OPERATOR,
    "telemetry.write": Role.DEVELOPER,
    # Platform.
    "secrets.list": Role.DEVELOPER,
    "secrets.set": Role.OPERATOR,
    "secrets.remove": Role.OPERATOR,
    "secrets.rotate": Role.ADMIN,
    "log.export": Role.VIEWER,
    "people.manage": Role.ADMIN,
    "tokens.create": Role.VIEWER,
    "tokens.manage": Role.ADMIN,
    "settings.read": Role.ADMIN,
}
