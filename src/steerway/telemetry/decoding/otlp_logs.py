"""Log records of OTLP as rows of the table `logs`."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

from steerway.telemetry.decoding.attributes import Maps, Origin, Place, placed, text_of
from steerway.telemetry.decoding.errors import BodyInvalid
from steerway.telemetry.decoding.otlp_rows import (
    Origins,
    extra_of,
    microseconds,
    origin_columns,
    words,
)
from steerway.telemetry.decoding.protobuf import COMMON, LOGS, messages

# The same messages as they are in JSON, where nothing stays bytes.
WHOLE: Final = messages(COMMON + LOGS)["Request"]
RAW: Final = messages(
    COMMON + LOGS, raw={"ResourceLogs.resource": "bytes", "LogRecord.attributes": "*bytes"}
)
SEVERITY_MAX: Final = 24
# Source: OpenTelemetry, Logs Data Model, "Mapping of SeverityNumber".
SEVERITIES: Final = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "WARNING": 13, "ERROR": 17}
SEVERITIES_OF_TEXT: Final = SEVERITIES | {"CRITICAL": 21, "FATAL": 21}


class LogsDecoder:
    """Decodes bodies, and remembers attributes and resources it has seen."""

    def __init__(self) -> None:
        self._maps = Maps()
        self._origins = Origins()

    def decode(self, body: bytes, now_ms: int, place: Place | None = None) -> pa.Table:
        """The log lines of one request.

        Raises:
            BodyInvalid: it is no request for logs.
        """
        try:
            return self._rows(RAW["Request"].FromString(body), now_ms, place)
        except DecodeError as error:
            raise BodyInvalid(what="OTLP logs", reason="it cannot be decoded") from error

    def _rows(self, request: Any, now_ms: int, place: Place | None) -> pa.Table:
        records: list[Any] = []
        origins: list[Origin] = []
        counts: list[int] = []
        extra: list[list[tuple[str, str]]] = []
        for of_resource in request.resource_logs:
            origin = self._origins.of(placed(of_resource.resource, place))
            for of_scope in of_resource.scope_logs:
                records += of_scope.log_records
                origins.append(origin)
                counts.append(len(of_scope.log_records))
                extra += [extra_of(origin, of_scope.scope)] * counts[-1]
        times = np.array(
            [r.time_unix_nano or r.observed_time_unix_nano for r in records], np.uint64
        )
        times = np.where(times == 0, np.uint64(now_ms * 1_000_000), times)
        labels = origin_columns(origins, counts)
        return pa.table(
            {
                "ts": microseconds(times),
                **labels,
                "source": words(["otlp"] * len(records)),
                "severity": pa.array([_severity(r) for r in records], pa.uint8()),
                "body": pa.array([_body(r) for r in records], pa.string()),
                "attributes": self._maps.column([r.attributes for r in records], extra),
                "trace_id": pa.array([r.trace_id.hex() for r in records], pa.string()),
                "span_id": pa.array([r.span_id.hex() for r in records], pa.string()),
            }
        )


def _severity(record: Any) -> int:
    number: int = record.severity_number
    if 0 < number <= SEVERITY_MAX:
        return number
    return SEVERITIES_OF_TEXT.get(record.severity_text.upper(), 0) if record.severity_text else 0


def _body(record: Any) -> str:
    body = record.body
    text: str = body.string_value if body.HasField("string_value") else text_of(body)
    return text or record.event_name
