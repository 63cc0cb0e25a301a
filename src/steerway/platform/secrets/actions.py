"""Setting and removing secrets, and changing the key they are sealed with."""

from pathlib import Path

from django.db.models import F

from steerway.platform.secrets.errors import (
    SecretNameInvalid,
    SecretUnknown,
    Unsealable,
    ValueInvalid,
)
from steerway.platform.secrets.keyring import add_key
from steerway.platform.secrets.models import Secret
from steerway.platform.secrets.rules import NAME, scope_text, value_problem
from steerway.platform.secrets.sealing import seal, unseal
from steerway.platform.work import Work


def set_value(
    work: Work, name: str, *, service: str, environment: str = "", value: str, key: bytes
) -> Secret:
    """The secret with its new value; running replicas get it at their next start.

    Raises:
        SecretNameInvalid: the name has the wrong form.
        ValueInvalid: the value is empty, too long or not text.
    """
    work.allow("secrets.set", on=service)
    if not NAME.fullmatch(name):
        raise SecretNameInvalid(name=name)
    if problem := value_problem(value):
        raise ValueInvalid(name=name, problem=problem)
    fields = {
        "sealed": seal(key, name, value),
        "updated_at": work.now,
        "updated_by": work.actor.name,
    }
    secret, is_new = Secret.objects.get_or_create(
        service=service, environment=environment, name=name, defaults={**fields, "version": 1}
    )
    if not is_new:
        Secret.objects.filter(pk=secret.pk).update(**fields, version=F("version") + 1)
        secret.refresh_from_db()
    work.record(
        "secret.set", name, service=service, environment=environment, version=secret.version
    )
    return secret


def remove(work: Work, name: str, *, service: str, environment: str = "") -> None:
    """Forget a secret. Replicas that run keep what they were started with.

    Raises:
        SecretUnknown: there is none.
    """
    work.allow("secrets.remove", on=service)
    rows = Secret.objects.filter(service=service, environment=environment, name=name)
    removed, _ = rows.delete()
    if not removed:
        raise SecretUnknown(name=name, scope=scope_text(service, environment))
    work.record("secret.removed", name, service=service, environment=environment)


def rotate(work: Work, *, home: Path) -> int:
    """Make a new key and seal every secret with it; how many. All or none.

    The key file changes first and keeps the older keys, so a crash in between loses nothing.

    Raises:
        Unsealable: one of them was sealed with a key that is not there.
    """
    work.allow("secrets.rotate")
    key = add_key(home)
    secrets = list(Secret.objects.select_for_update())
    for secret in secrets:
        secret.sealed = seal(key, secret.name, _opened(key, secret))
    Secret.objects.bulk_update(secrets, ["sealed"], batch_size=200)
    work.record("secret.resealed", "secrets", secrets=len(secrets))
    return len(secrets)


def _opened(key: bytes, secret: Secret) -> str:
    try:
        return unseal(key, secret.name, secret.sealed)
    except ValueError as error:
        raise Unsealable(name=secret.name) from error
