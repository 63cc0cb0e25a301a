"""How passwords are kept."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class SmallArgon2(Argon2PasswordHasher):
    """Argon2id with less memory and more rounds.

    Django's 100 MB for each try, asked for by strangers on every thread at once, would be most
    of a small machine.

    Source: OWASP Password Storage Cheat Sheet: 12 MiB, 3 rounds, one lane, is as strong as its
    other recommendations.
    """

    memory_cost = 12 * 1024  # KiB
    time_cost = 3
    parallelism = 1
