"""The quick way to the canonical text of an entry is the slow way's text."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from steerway.platform.log.rules import GENESIS, canonical, seal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ENTRIES = st.fixed_dictionaries(
    {
        "seq": st.integers(0, 2**53 - 1),
        "id": st.uuids().map(str),
        "at": st.just("2026-03-02T12:00:00.000000Z"),
        "actor": TEXTS,
        "type": TEXTS,
        "subject": TEXTS,
        "service": TEXTS,
        "environment": TEXTS,
        "data": TEXTS,
    }
)


@given(ENTRIES)
def test_an_entry_is_sealed_over_its_text_by_rfc_8785(entry: dict[str, str | int]) -> None:
    written = f"{GENESIS}\n{canonical(entry)}".encode()

    assert seal(GENESIS, entry) == hashlib.sha256(written).hexdigest()
