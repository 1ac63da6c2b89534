"""An authenticator app, written from RFC 6238 and RFC 4226 alone."""

import base64
import hmac
import struct
import time


def code_of(key: str, *, later: int = 0) -> str:
    """Return the code that an app with this key shows now, or so many half minutes later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + later)
    mac = hmac.new(base64.b32decode(key), counter, "sha1").digest()
    start = mac[-1] & 15
    number = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
