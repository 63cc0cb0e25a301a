"""Words of the sign-in pages."""

import pytest

from steerway.platform.identity import tags

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{CHROME} Safari/537.36", "Chrome on Linux"),
        (f"{CHROME} Safari/537.36 Edg/156.0", "Edge on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/131.0", "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("something else", "something else"),
        ("", "An unknown program"),
    ],
)
def test_a_program_is_called_as_people_call_it(agent: str, name: str) -> None:
    assert tags.program(agent) == name
