"""The messages of OTLP and of Prometheus remote write.

Written out here, because two readings of the same bytes are needed: the whole message, and one
in which repeated parts stay bytes. Bytes are the key of a cache: a series that was seen before is
recognised without being decoded, and the samples are taken out by numpy.
Source: open-telemetry/opentelemetry-proto v1 (metrics, logs, trace, common, resource);
prometheus/prometheus prompb/remote.proto and prompb/types.proto.
"""

import re
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

F: Final = descriptor_pb2.FieldDescriptorProto
KINDS: Final = {
    "string": F.TYPE_STRING,
    "bytes": F.TYPE_BYTES,
    "bool": F.TYPE_BOOL,
    "double": F.TYPE_DOUBLE,
    "int32": F.TYPE_INT32,
    "sint32": F.TYPE_SINT32,
    "uint32": F.TYPE_UINT32,
    "fixed32": F.TYPE_FIXED32,
    "int64": F.TYPE_INT64,
    "sint64": F.TYPE_SINT64,
    "uint64": F.TYPE_UINT64,
    "fixed64": F.TYPE_FIXED64,
    "sfixed64": F.TYPE_SFIXED64,
}
FIELD: Final = re.compile(r"(?P<mark>[*?]?)(?P<type>\w+) (?P<name>\w+) (?P<number>\d+)")

# A line is a message, its fields follow: `*` is repeated, `?` tells absent from zero.
COMMON: Final = """
AnyValue: ?string string_value 1; ?bool bool_value 2; ?int64 int_value 3; ?double double_value 4; ?ArrayValue array_value 5; ?KeyValueList kvlist_value 6; ?bytes bytes_value 7
ArrayValue: *AnyValue values 1
KeyValueList: *KeyValue values 1
KeyValue: string key 1; AnyValue value 2
Resource: *KeyValue attributes 1
Scope: string name 1; string version 2; *KeyValue attributes 3
"""  # noqa: E501
METRICS: Final = """
Exemplar: *KeyValue filtered_attributes 7; fixed64 time_unix_nano 2; ?double as_double 3; ?sfixed64 as_int 6; bytes span_id 4; bytes trace_id 5
Number: *KeyValue attributes 7; fixed64 start_time_unix_nano 2; fixed64 time_unix_nano 3; ?double as_double 4; ?sfixed64 as_int 6; *Exemplar exemplars 5; uint32 flags 8
HistogramPoint: *KeyValue attributes 9; fixed64 start_time_unix_nano 2; fixed64 time_unix_nano 3; fixed64 count 4; ?double sum 5; *fixed64 bucket_counts 6; *double explicit_bounds 7; *Exemplar exemplars 8; uint32 flags 10; ?double min 11; ?double max 12
Buckets: sint32 offset 1; *uint64 bucket_counts 2
ExponentialPoint: *KeyValue attributes 1; fixed64 start_time_unix_nano 2; fixed64 time_unix_nano 3; fixed64 count 4; ?double sum 5; sint32 scale 6; fixed64 zero_count 7; Buckets positive 8; Buckets negative 9; uint32 flags 10; *Exemplar exemplars 11; ?double min 12; ?double max 13; double zero_threshold 14
Quantile: double quantile 1; double value 2
SummaryPoint: *KeyValue attributes 7; fixed64 start_time_unix_nano 2; fixed64 time_unix_nano 3; fixed64 count 4; double sum 5; *Quantile quantile_values 6; uint32 flags 8
Gauge: *Number data_points 1
Sum: *Number data_points 1; int32 aggregation_temporality 2; bool is_monotonic 3
Histogram: *HistogramPoint data_points 1; int32 aggregation_temporality 2
Exponential: *ExponentialPoint data_points 1; int32 aggregation_temporality 2
Summary: *SummaryPoint data_points 1
Metric: string name 1; string description 2; string unit 3; ?Gauge gauge 5; ?Sum sum 7; ?Histogram histogram 9; ?Exponential exponential_histogram 10; ?Summary summary 11
ScopeMetrics: Scope scope 1; *Metric metrics 2
ResourceMetrics: Resource resource 1; *ScopeMetrics scope_metrics 2
Request: *ResourceMetrics resource_metrics 1
"""  # noqa: E501
LOGS: Final = """
LogRecord: fixed64 time_unix_nano 1; fixed64 observed_time_unix_nano 11; int32 severity_number 2; string severity_text 3; AnyValue body 5; *KeyValue attributes 6; fixed32 flags 8; bytes trace_id 9; bytes span_id 10; string event_name 12
ScopeLogs: Scope scope 1; *LogRecord log_records 2
ResourceLogs: Resource resource 1; *ScopeLogs scope_logs 2
Request: *ResourceLogs resource_logs 1
"""  # noqa: E501
TRACES: Final = """
SpanEvent: fixed64 time_unix_nano 1; string name 2; *KeyValue attributes 3
SpanLink: bytes trace_id 1; bytes span_id 2; string trace_state 3; *KeyValue attributes 4
Status: string message 2; int32 code 3
Span: bytes trace_id 1; bytes span_id 2; string trace_state 3; bytes parent_span_id 4; string name 5; int32 kind 6; fixed64 start_time_unix_nano 7; fixed64 end_time_unix_nano 8; *KeyValue attributes 9; *SpanEvent events 11; *SpanLink links 13; Status status 15
ScopeSpans: Scope scope 1; *Span spans 2
ResourceSpans: Resource resource 1; *ScopeSpans scope_spans 2
Request: *ResourceSpans resource_spans 1
"""  # noqa: E501
ANSWER: Final = """
Partial: int64 rejected 1; string error_message 2
Answer: Partial partial_success 1
Problem: int32 code 1; string message 2
"""
WRITE: Final = """
Label: string name 1; string value 2
Sample: double value 1; int64 timestamp 2
Exemplar: *Label labels 1; double value 2; int64 timestamp 3
Span: sint32 offset 1; uint32 length 2
Histogram: ?uint64 count_int 1; ?double count_float 2; double sum 3; sint32 schema 4; double zero_threshold 5; ?uint64 zero_count_int 6; ?double zero_count_float 7; *Span negative_spans 8; *sint64 negative_deltas 9; *double negative_counts 10; *Span positive_spans 11; *sint64 positive_deltas 12; *double positive_counts 13; int32 reset_hint 14; int64 timestamp 15
TimeSeries: *Label labels 1; *Sample samples 2; *Exemplar exemplars 3; *Histogram histograms 4
Metadata: int32 type 1; string metric_family_name 2; string help 4; string unit 5
Request: *TimeSeries timeseries 1; *Metadata metadata 3
"""  # noqa: E501


def messages(text: str, *, raw: dict[str, str] | None = None) -> dict[str, type[Any]]:
    """The message classes of a schema; fields named in `raw` as `Message.field` get that type.

    `raw` may turn a repeated message into `*bytes`, or packed numbers into `bytes`.
    """
    file = descriptor_pb2.FileDescriptorProto(name="steerway.proto", syntax="proto3", package="s")
    for line in filter(None, text.splitlines()):
        name, _, fields = line.partition(": ")
        message = file.message_type.add(name=name)
        for field in fields.split("; "):
            _add_field(message, field, raw or {})
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        m.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"s.{m.name}"))
        for m in file.message_type
    }


def _add_field(message: Any, text: str, raw: dict[str, str]) -> None:
    found = FIELD.fullmatch(text)
    assert found, text
    mark, kind, name, number = found.group("mark", "type", "name", "number")
    if changed := raw.get(f"{message.name}.{name}"):
        mark, kind = changed[:-5], changed[-5:]
        assert kind == "bytes"
    field = message.field.add(name=name, number=int(number))
    field.label = F.LABEL_REPEATED if mark == "*" else F.LABEL_OPTIONAL
    if kind in KINDS:
        field.type = KINDS[kind]
        if mark == "?":
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{name}")
    else:
        field.type, field.type_name = F.TYPE_MESSAGE, f".s.{kind}"
