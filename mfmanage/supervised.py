"""Run a command that ends when its supervisor does: ``python supervised.py COMMAND…``.

Started by ``mfmanage/supervisor.py`` as leader of a session of its own. Its standard input is a pipe that the
supervisor holds open. When the pipe closes, because the supervisor wants it or because it was killed, the command
gets SIGTERM, and after a grace period everything in the session's process group is killed.
"""

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 1.5


def main(command: list[str]) -> None:
    """Run ``command``; exit as it does (128 + the signal that ended it), or end it when standard input closes."""
    for sent_to_the_group in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent_to_the_group, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    unheld = threading.Event()
    threading.Thread(target=exit_with, args=[child, unheld], daemon=True).start()
    while os.read(sys.stdin.fileno(), 1):
        pass
    unheld.set()
    end(child)


def exit_with(child: "subprocess.Popen[bytes]", unheld: threading.Event) -> None:
    """End this process when ``child`` ends of itself."""
    code = child.wait()
    if not unheld.is_set():
        os._exit(code if code >= 0 else 128 - code)


def end(child: "subprocess.Popen[bytes]") -> None:
    """Ask ``child`` to end, then kill it and all that it started, this process included."""
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    finally:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
