"""Making a program able to send, with a token that is made for it."""

from dataclasses import replace

from steerway.delivery.runtimes.models import Replica
from steerway.delivery.runtimes.rules import Program, SealedSecret
from steerway.delivery.senders.rules import HEADERS, sends_elsewhere, where, who
from steerway.platform.identity.rules import digest, new_token
from steerway.platform.secrets.sealing import seal


def able_to_send(
    replica: Replica, program: Program, *, version: str, door: str, key: bytes
) -> tuple[Program, str]:
    """The program with what OpenTelemetry's libraries look for, and the hash of its token.

    `door` is where it sends to, `key` seals its token. Whoever equips the replica keeps the hash.
    """
    own = program.environment.keys() | program.secrets.keys()
    given = dict(
        who(
            service=replica.service,
            environment=replica.environment,
            version=version,
            instance=replica.program,
        )
    )
    secrets, sender = dict(program.secrets), ""
    if not sends_elsewhere(own):
        given |= where(door)
        secrets[HEADERS], sender = _token(replica, key)
    added = {name: value for name, value in given.items() if name not in own}
    environment = {**added, **program.environment}
    return replace(program, environment=environment, secrets=secrets), sender


def _token(replica: Replica, key: bytes) -> tuple[SealedSecret, str]:
    """The token of a replica, sealed, and its hash: the same when the step is taken again.

    The program may run already with the one it was given first.
    """
    kept = replica.to_run().secrets.get(HEADERS) if replica.spec and replica.sender else None
    if kept is not None:
        return kept, replica.sender
    secret = new_token()
    text = seal(key, HEADERS, f"Authorization=Bearer%20{secret}")
    return SealedSecret(HEADERS, text), digest(secret)
