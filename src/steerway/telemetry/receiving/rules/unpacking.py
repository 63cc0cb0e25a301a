"""Bodies as they travel: packed, or as JSON. Nothing is unpacked beyond its bound."""

import base64
import binascii
import json
import zlib
from typing import Any, Final

import cramjam
from google.protobuf import json_format

from steerway.telemetry.decoding.errors import BodyInvalid, BodyTooLarge, FormUnknown

GZIP_BITS: Final = 31
WHEN: Final = "once it is unpacked"
# Ids are hex in OTLP's JSON, where protobuf's JSON has base64.
# Source: the OTLP specification, "JSON Protobuf Encoding".
HEX: Final = {"traceId", "spanId", "parentSpanId"}
DEPTH_MAX: Final = 64


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its `Content-Encoding`.

    Raises:
        FormUnknown: an encoding that is not read here.
        BodyTooLarge: it would be larger than `most` bytes.
        BodyInvalid: it is cut off or damaged.
    """
    match encoding:
        case "" | "identity":
            return body
        case "gzip" | "deflate":
            return _inflated(body, GZIP_BITS if encoding == "gzip" else zlib.MAX_WBITS, most)
        case "snappy":
            return _unsnapped(body, most)
        case _:
            raise FormUnknown(given=f"Content-Encoding {encoding}", expected="gzip or none")


def _inflated(body: bytes, bits: int, most: int) -> bytes:
    unpacker = zlib.decompressobj(bits)
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise BodyInvalid(what="gzip", reason=error) from error
    if len(plain) > most:
        raise BodyTooLarge(most=most, when=WHEN)
    if not unpacker.eof or unpacker.unused_data:
        raise BodyInvalid(what="gzip", reason="it is cut off, or something follows it")
    return plain


def _unsnapped(body: bytes, most: int) -> bytes:
    try:
        # The size stands at the front; it is looked at before memory is taken for it.
        if cramjam.snappy.decompress_raw_len(body) > most:
            raise BodyTooLarge(most=most, when=WHEN)
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise BodyInvalid(what="snappy", reason=error) from error


def of_json(body: bytes, kind: type[Any]) -> bytes:
    """A request in OTLP's JSON, as the same request in protobuf.

    Raises:
        BodyInvalid: it is no JSON, or has the wrong types.
    """
    try:
        document = json.loads(body, parse_constant=str)
        message = json_format.ParseDict(
            _with_base64(document, 0), kind(), ignore_unknown_fields=True
        )
    except (ValueError, RecursionError, TypeError, AttributeError, json_format.Error) as error:
        raise BodyInvalid(what="OTLP in JSON", reason=str(error)[:200]) from error
    encoded: bytes = message.SerializeToString()
    return encoded


def _with_base64(node: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise ValueError(f"it is nested more than {DEPTH_MAX} deep")
    if isinstance(node, list):
        return [_with_base64(item, depth + 1) for item in node]
    if isinstance(node, dict):
        return {
            key: _base64(value) if key in HEX else _with_base64(value, depth + 1)
            for key, value in node.items()
        }
    return node


def _base64(value: Any) -> str:
    try:
        return base64.b64encode(bytes.fromhex(value)).decode()
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError(f"{str(value)[:40]!r} is no id in hex") from error
