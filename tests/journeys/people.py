"""People who use an installation over the network."""

import json
from pathlib import Path

from tests.journeys.installation import Done, Installation


class Person:
    """Somebody who signs in over the network with a token of their own."""

    def __init__(self, installation: Installation, name: str, role: str, config: Path) -> None:
        self.name, self.installation = name, installation
        installation.ok("user", "add", name, "--role", role)
        made = installation.ok("token", "create", "laptop", "--owner", name, "--json")
        self.secret = str(json.loads(made)["secret"])
        self.server = f"http://127.0.0.1:{installation.port}"
        self.config = config / name
        file = self.config / "steerway" / "tokens.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({self.server: self.secret}))

    def steerway(self, *words: str) -> Done:
        """Run a command as this person."""
        return self.installation.steerway(
            *words, STEERWAY_SERVER=self.server, XDG_CONFIG_HOME=str(self.config)
        )
