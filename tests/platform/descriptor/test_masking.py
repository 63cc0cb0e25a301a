"""What looks like a secret is hidden from readers of a descriptor, and nothing else is."""

import pytest

from steerway.platform.descriptor.masking import masked_document, masked_text


@pytest.mark.parametrize(
    "written",
    [
        "API_TOKEN: s3cret-value",
        "API_TOKEN: 's3cret-value'  # a comment",
        'API_TOKEN: "s3cret\\x2dvalue"',
        "{NAME: é😀, API_TOKEN: s3cret-value, LEVEL: info}",
        "STORE: postgres://shop:s3cret-value@db/shop",
        "API_TOKEN: |\n      s3cret-value\n      s3cret-more\n    LEVEL: info",
    ],
)
def test_a_value_that_looks_like_a_secret_is_hidden_in_the_text(written: str) -> None:
    text = f"steerway: 1\nrun:\n  environment:\n    {written}\nservice: shop\n"

    masked = masked_text(text)

    assert "s3cret" not in masked
    assert '"(hidden)"' in masked
    assert masked.count("\n") == text.count("\n")
    assert masked.endswith("\nservice: shop\n")


def test_every_place_of_a_document_is_looked_at_and_names_of_secrets_stay() -> None:
    document = {
        "run": {"environment": {"PASSWORD": "x", "LEVEL": "info"}, "secrets": {"KEY": "pay-key"}},
        "list": [{"token": "y"}, "amqp://u:p@h/"],
    }

    assert masked_document(document) == {
        "run": {
            "environment": {"PASSWORD": "(hidden)", "LEVEL": "info"},
            "secrets": {"KEY": "pay-key"},
        },
        "list": [{"token": "(hidden)"}, "(hidden)"],
    }


def test_nothing_is_left_of_a_text_that_cannot_be_read() -> None:
    assert masked_text("TOKEN: 'open") == ""
