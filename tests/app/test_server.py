"""What the server writes about itself."""

import logging

from steerway.app.server import without_links


def test_no_sign_in_link_is_in_the_log() -> None:
    record = logging.LogRecord(
        "django.request",
        logging.WARNING,
        "",
        0,
        "%s: %s",
        ("Forbidden", "/link/3DL_rs-9?a=%s"),
        None,
    )

    assert without_links(record)
    assert record.getMessage() == "Forbidden: /link/…?a=%s"
