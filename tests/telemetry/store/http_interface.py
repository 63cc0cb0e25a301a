"""ClickHouse's HTTP interface before the engine of this process.

No ClickHouse server of a version of today can be had where tests run. So the second engine is the
first one behind a wire: the client library, its requests and the SQL are the real ones; only what
passes a request on to the engine is ours. It knows what the client uses: settings and parameters
in the address or as a form, rows in the body, errors by their number, and query ids.
"""

import email
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from chdb.state import connect

TRANSPORT: Final = {
    "database", "query", "query_id", "wait_end_of_query", "compress", "client_protocol_version",
    "role", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
    "enable_http_compression", "session_id", "buffer_size",
}  # fmt: skip
CODE: Final = re.compile(r"Code: (\d+)")
INSERT: Final = re.compile(rb"\s*INSERT INTO .*?FORMAT (\w+)\s*?\n", re.DOTALL | re.IGNORECASE)
NO_ROWS: Final = re.compile(
    r"\s*(CREATE|ALTER|DROP|TRUNCATE|INSERT|SYSTEM|OPTIMIZE|SET|DELETE)", re.IGNORECASE
)


class Handler(BaseHTTPRequestHandler):
    """One request is one query on a connection of its own."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        """Alive?"""
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        """Run a statement."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if "multipart" in self.headers.get("Content-Type", ""):
            fields |= self._form(body)
            body = b""
        if self.headers.get("Authorization", "") != self.server.authorization:
            self._answer(403, b"Code: 516. DB::Exception: Authentication failed.", code="516")
            return
        try:
            self._answer(200, self._run(fields, body))
        except Exception as error:  # noqa: BLE001 -- the engine's only type
            found = CODE.search(str(error))
            self._answer(500, str(error).encode(), code=found[1] if found else "1000")

    def log_message(self, *arguments: Any) -> None:
        """Nobody reads it."""

    def _form(self, body: bytes) -> dict[str, str]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + body).get_payload()
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(
                decode=True
            ).decode()
            for part in parts  # type: ignore[union-attr]  # it is a form, so a list
        }

    def _run(self, fields: dict[str, str], body: bytes) -> bytes:
        connection = self.server.connect()
        try:
            for name, value in fields.items():
                if name not in TRANSPORT and not name.startswith("param_"):
                    connection.query(f"SET {name} = '{value}'", "Null")
            params = {k.removeprefix("param_"): v for k, v in fields.items()}
            whole = fields.get("query", "").encode() + b"\n" + body if "query" in fields else body
            if found := INSERT.match(whole):
                return self._insert(connection, found, whole)
            sql = _identified(whole.decode().strip(), fields.get("query_id", ""))
            format_ = "Null" if NO_ROWS.match(sql) else "TabSeparated"
            return bytes(connection.query(sql, format_, params=params).bytes() or b"")
        finally:
            connection.close()

    def _insert(self, connection: Any, found: re.Match[bytes], whole: bytes) -> bytes:
        head = found[0].decode()
        sql = head[: head.upper().rindex("FORMAT")]
        with connection.send_insert(sql, found[1].decode()) as inserting:
            inserting.append(whole[found.end() :])
            inserting.finish()
        return b""

    def _answer(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)


def _identified(sql: str, query_id: str) -> str:
    """The statement with its id where the engine in a process can show it, and is killed by it."""
    if sql.startswith("KILL QUERY"):
        return sql.replace("query_id =", "extract(query, '^/[*] (.*?) [*]/') =")
    return f"/* {query_id} */ {sql}" if query_id else sql


class Server(ThreadingHTTPServer):
    """The engine's other door."""

    daemon_threads = True

    def __init__(self, path: Path, authorization: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.path = path
        self.authorization = authorization

    def connect(self) -> Any:
        """One more connection to the engine that is open."""
        return connect(str(self.path))


@contextmanager
def served(path: Path, authorization: str) -> Iterator[int]:
    """The port on which the engine at `path`, which must be open, is reached."""
    with Server(path, authorization) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
