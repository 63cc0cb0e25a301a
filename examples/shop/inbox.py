"""Shows what people would have received: a mail server and a webhook sink on this machine only.

    python inbox.py [--smtp-port 0] [--http-port 0]

Prints its addresses as JSON on the first line. Mail goes to the SMTP port; POST anything to any
path for a webhook. GET /messages is JSON, GET / is a page, DELETE /messages forgets everything.
"""

import argparse
import json
import threading
from collections import deque
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from socketserver import StreamRequestHandler, ThreadingTCPServer

MESSAGES_MAX = 1000
MAIL_BYTES_MAX = 10_000_000
LINE_BYTES_MAX = 4096
WEBHOOK_BYTES_MAX = 1_000_000

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Inbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark;
  --line: light-dark(#e3e0da, #3a3733); --soft: light-dark(#6b665e, #aaa49b) }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  background: light-dark(#faf9f7, #1c1a18); color: light-dark(#26231f, #f0ede8) }}
article {{ border-top: 1px solid var(--line); padding: 1rem 0 }}
h2 {{ font-size: 1rem; margin: 0 }} p {{ margin: .1rem 0; color: var(--soft); font-size: .875rem }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: .6rem 0 0;
  font: .875rem/1.5 ui-monospace, monospace }}
</style><h1>Inbox</h1>{messages}</html>"""
ARTICLE = "<article><h2>{subject}</h2><p>{kind} · {at} · to {to}</p><pre>{text}</pre></article>"


class Inbox:
    """What came in, oldest first; the oldest make room."""

    def __init__(self) -> None:
        self._messages: deque[dict[str, object]] = deque(maxlen=MESSAGES_MAX)
        self._numbers = count(1)

    def add(self, kind: str, **fields: object) -> None:
        """Keep a message."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._messages.append({"id": next(self._numbers), "kind": kind, "at": at, **fields})

    def all(self) -> list[dict[str, object]]:
        """The messages kept."""
        return list(self._messages)

    def clear(self) -> None:
        """Forget everything."""
        self._messages.clear()


class MailServer(ThreadingTCPServer):
    """Takes mail for everybody."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, inbox: Inbox) -> None:
        super().__init__(("127.0.0.1", port), MailSession)
        self.inbox = inbox


class MailSession(StreamRequestHandler):
    """One conversation in SMTP.

    Source: RFC 5321, the commands of section 4.5.1; neither encryption nor passwords.
    """

    server: MailServer
    timeout = 60

    def handle(self) -> None:
        """Talk until the client is done."""
        self.sender, self.recipients = "", list[str]()
        self.say("220 inbox ESMTP")
        while line := self.rfile.readline(LINE_BYTES_MAX):
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self.say("221 bye")
                return
            self.command(verb.upper(), rest)

    def command(self, verb: str, rest: str) -> None:
        """Answer one command."""
        match verb:
            case "EHLO":
                self.say(f"250-inbox\r\n250-SIZE {MAIL_BYTES_MAX}\r\n250-8BITMIME\r\n250 SMTPUTF8")
            case "MAIL":
                self.sender, self.recipients = address(rest), []
                self.say("250 ok")
            case "RCPT":
                self.recipients.append(address(rest))
                self.say("250 ok")
            case "DATA" if not self.recipients:
                self.say("503 no recipients")
            case "DATA":
                self.data()
            case "HELO" | "RSET" | "NOOP":
                self.say("250 ok")
            case _:
                self.say("502 not implemented here")

    def data(self) -> None:
        """Take one mail."""
        self.say("354 go on")
        lines, size = [], 0
        while (line := self.rfile.readline()) and line.rstrip(b"\r\n") != b".":
            size += len(line)
            if size <= MAIL_BYTES_MAX:
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if size > MAIL_BYTES_MAX:
            self.say("552 too large")
            return
        self.server.inbox.add("mail", **read_mail(b"".join(lines), self.sender, self.recipients))
        self.say("250 kept")

    def say(self, text: str) -> None:
        """Send a reply."""
        self.wfile.write(f"{text}\r\n".encode())


def address(text: str) -> str:
    """The address in FROM:<a@b> or TO:<a@b>."""
    return text.partition("<")[2].partition(">")[0]


def read_mail(raw: bytes, sender: str, recipients: list[str]) -> dict[str, object]:
    """A mail as a person sees it."""
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(preferencelist=("plain", "html"))
    return {
        "from": sender,
        "to": recipients,
        "subject": str(mail.get("Subject", "")),
        "headers": {name: str(value) for name, value in mail.items()},
        "text": body.get_content().replace("\r\n", "\n") if body else "",
    }


class WebServer(ThreadingHTTPServer):
    """Takes webhooks and shows everything."""

    daemon_threads = True

    def __init__(self, port: int, inbox: Inbox) -> None:
        super().__init__(("127.0.0.1", port), WebRequest)
        self.inbox = inbox


class WebRequest(BaseHTTPRequestHandler):
    """One request."""

    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The messages, as JSON or as a page."""
        messages = self.server.inbox.all()
        if self.path == "/messages":
            self.answer(200, "application/json", json.dumps(messages))
        elif self.path == "/":
            self.answer(200, "text/html; charset=utf-8", render(messages))
        else:
            self.answer(404, "text/plain", "nothing here\n")

    def do_POST(self) -> None:
        """Keep a webhook."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > WEBHOOK_BYTES_MAX:
            self.close_connection = True
            self.answer(413, "text/plain", "too large\n")
            return
        text = self.rfile.read(length).decode("utf-8", "replace")
        headers = dict(self.headers.items())
        self.server.inbox.add("webhook", to=[self.path], subject="", headers=headers, text=text)
        self.answer(200, "text/plain", "kept\n")

    def do_DELETE(self) -> None:
        """Forget everything."""
        self.server.inbox.clear()
        self.answer(200, "text/plain", "forgotten\n")

    def answer(self, status: int, content_type: str, text: str) -> None:
        """Send a response."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the page shows it."""


def render(messages: list[dict[str, object]]) -> str:
    """The page, newest first."""
    articles = [
        ARTICLE.format(
            subject=escape(str(message["subject"]) or "Webhook"),
            kind=message["kind"],
            at=message["at"],
            to=escape(", ".join(map(str, to)) if isinstance(to := message["to"], list) else ""),
            text=escape(str(message["text"])),
        )
        for message in reversed(messages)
    ]
    return PAGE.format(messages="".join(articles) or "<p>Nothing yet.</p>")


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="Show what people would have received.")
    parser.add_argument("--smtp-port", type=int, default=0, help="a free one by default")
    parser.add_argument("--http-port", type=int, default=0, help="a free one by default")
    options = parser.parse_args()
    inbox = Inbox()
    mail, web = MailServer(options.smtp_port, inbox), WebServer(options.http_port, inbox)
    smtp = f"127.0.0.1:{mail.server_address[1]}"
    print(json.dumps({"smtp": smtp, "url": f"http://127.0.0.1:{web.server_port}"}), flush=True)
    threading.Thread(target=mail.serve_forever, daemon=True).start()
    web.serve_forever()


if __name__ == "__main__":
    main()
