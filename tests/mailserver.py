"""A small mail server (RFC 5321) in a thread, for tests: real sockets, real refusals."""

import base64
import socketserver
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mail:
    sender: str
    recipients: list[str]
    message: EmailMessage


class MailServer:
    """Takes mail on a free port while the block runs. ``refused`` maps an address to the answer to ``RCPT TO``.

    ``on_mail`` is called for each mail that has arrived, before the sender is told so.
    """

    def __init__(self, *, port=0, refused=None):
        self.mails: list[Mail] = []
        self.on_mail = lambda: None
        self.connections = 0
        self.signed_in: list[tuple[str, str]] = []
        self.refused = refused or {}
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", port), self._session, bind_and_activate=False)
        self._server.allow_reuse_address = self._server.daemon_threads = True
        self._server.server_bind()
        self._server.server_activate()
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _session(self, connection, *_):
        self.connections += 1
        with connection.makefile("rb") as lines:
            Session(self, connection, lines).run()


class Session:
    def __init__(self, server, connection, lines):
        self.server, self.connection, self.lines = server, connection, lines
        self.sender, self.recipients = "", []

    def run(self):
        self.say("220 tests")
        while line := self.lines.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "QUIT":
                return self.say("221 bye")
            getattr(self, f"on_{word.lower()}", self.on_other)(line)
        return None

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def on_other(self, _line):
        self.say("502 unknown")

    def on_ehlo(self, _line):
        self.say("250-tests\r\n250-8BITMIME\r\n250 AUTH PLAIN")

    def on_auth(self, line):
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        self.server.signed_in.append((user, password))
        self.say("235 welcome")

    def on_rset(self, _line):
        self.sender, self.recipients = "", []
        self.say("250 ok")

    def on_mail(self, line):
        self.sender, self.recipients = address(line), []
        self.say("250 ok")

    def on_rcpt(self, line):
        refusal = self.server.refused.get(address(line))
        if refusal is None:
            self.recipients.append(address(line))
        self.say(refusal or "250 ok")

    def on_data(self, _line):
        self.say("354 go on")
        body = []
        while (part := self.lines.readline()) not in {b".\r\n", b""}:
            body.append(part.removeprefix(b"."))
        message = message_from_bytes(b"".join(body), policy=policy.default)
        self.server.mails.append(Mail(self.sender, self.recipients, message))
        self.server.on_mail()
        self.say("250 taken")


def address(line):
    return line.partition("<")[2].partition(">")[0]
