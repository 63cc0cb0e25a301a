import pytest

from steerway.platform.secrets.sealing import VERSION, seal, unseal

KEY = bytes(range(32))


@pytest.mark.parametrize("value", ["", "hunter2", "pässwörd\n", "x" * 100_000])
def test_what_was_sealed_opens_again(value: str) -> None:
    sealed = seal(KEY, "payment-key", value)

    assert unseal(KEY, "payment-key", sealed) == value
    assert sealed.startswith(VERSION)


def test_the_same_value_is_never_sealed_twice_alike() -> None:
    assert seal(KEY, "a", "value") != seal(KEY, "a", "value")


def test_a_value_opens_only_under_its_name_and_key() -> None:
    sealed = seal(KEY, "payment-key", "hunter2")

    for key, name in [(KEY, "other"), (bytes(32), "payment-key"), (b"short", "payment-key")]:
        with pytest.raises(ValueError, match=f"^the secret {name} does not open with this key$"):
            unseal(key, name, sealed)


@pytest.mark.parametrize("at", [0, 1, 4, 20, -3])
def test_a_changed_character_is_noticed(at: int) -> None:
    sealed = seal(KEY, "a", "hunter2")
    other = "A" if sealed[at] != "A" else "B"
    changed = sealed[:at] + other + (sealed[at:][1:])

    with pytest.raises(ValueError, match="does not open"):
        unseal(KEY, "a", changed)


@pytest.mark.parametrize("text", ["", "v1:", "v2:AAAA", "plain", "v1:?!"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(ValueError, match="does not open"):
        unseal(KEY, "a", text)
