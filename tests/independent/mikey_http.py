"""HTTP/1.1 messages to and from a KMS: MIKEY bodies (P-18), IBE parameters and key requests (RFC 5408)."""

import re
from dataclasses import dataclass

START = re.compile(rb"(HTTP/1\.1 \d\d\d[^\r\n]*|[A-Z]+ \S+ HTTP/1\.1)\r\n")


class HttpError(ValueError):
    """What begins like HTTP and cannot be read."""


@dataclass
class Http:
    """`status` is None for a request."""

    start: str
    status: int
    headers: dict
    body: bytes

    @property
    def kind(self):
        """The media type of the body."""
        return self.headers.get("content-type", "").lower()

    @property
    def target(self):
        """Method and target of a request."""
        return self.start.rsplit(" ", 1)[0]


def parse(data, at=0):
    """Read the message that begins at an offset; returns it and the offset behind it, or None if it is not all there."""
    if not START.match(data, at):
        raise HttpError("no HTTP message begins here: %r" % data[at : at + 40])
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    lines = data[at:end].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "transfer-encoding" in headers:
        raise HttpError("a transfer coding is not known here")
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise HttpError("Content-Length is no number") from None
    end += 4
    if len(data) - end < length:
        return None
    status = int(lines[0].split(" ")[1]) if lines[0].startswith("HTTP/") else None
    return Http(lines[0], status, headers, data[end : end + length]), end + length
