"""Two machines as the kernel can pretend them: network namespaces of their own, joined by a cable that can be cut."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

ADDRESSES = ("10.77.0.1", "10.77.0.2")


@contextmanager
def two_hosts() -> Iterator[tuple[list[str], list[str], Callable[[str], None]]]:
    """Two commands that run others on one host each, which has its address of `ADDRESSES`; and the cable's switch.

    The switch takes "down" or "up". Pulled down, what was sent is lost without a word, and connections stand.
    """
    with ExitStack() as hosts:
        (_, one), (second, other) = (hosts.enter_context(_host()) for _ in ADDRESSES)
        _run(*one, "ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", str(second))
        for host, address in zip((one, other), ADDRESSES, strict=True):
            _run(*host, "ip", "addr", "add", f"{address}/24", "dev", "cable")
            for device in ("lo", "cable"):
                _run(*host, "ip", "link", "set", device, "up")
        yield one, other, lambda state: _run(*one, "ip", "link", "set", "cable", state)


@contextmanager
def _host() -> Iterator[tuple[int, list[str]]]:
    """The process that keeps a namespace, and a command that runs others in it."""
    keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
    try:
        assert keeper.stdout is not None
        keeper.stdout.readline()  # it is in its namespace
        yield keeper.pid, ["nsenter", "--target", str(keeper.pid), "--net", "--"]
    finally:
        keeper.kill()
        keeper.wait()
        if keeper.stdout is not None:
            keeper.stdout.close()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
