"""The addresses by which other machines of the network reach this
one.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress

# One in each block of private networks (RFC 1918) and one of the
# internet, so that the way to each network is asked for. Of the
# last, only documentation speaks (RFC 5737). Nothing is sent.
_SOMEWHERE = (
    "198.51.100.1",
    "192.168.254.253",
    "10.254.254.253",
    "172.30.254.253",
)
_SOMEWHERE_6 = ("2001:db8::1", "fd00:1234::1")  # RFC 3849, RFC 4193
_DISCARD_PORT = 9  # RFC 863


def find_addresses(*, v6: bool = False) -> list[str]:
    """The addresses of this machine, of IPv4 or IPv6, the one
    towards the internet first; empty without a network.
    """
    found = [*_find_outgoing(v6), *_find_own(v6)]
    return list(dict.fromkeys(filter(_is_reachable, found)))


def find_names() -> list[str]:
    """The names of this machine: its own, as the network's name
    server may know it, and the one of multicast DNS.
    """
    name = socket.gethostname().rstrip(".").lower()
    is_usable = name.isascii() and name != "localhost"  # a certificate has ASCII
    if not name or not is_usable or _is_address(name):
        return []
    first = name.partition(".")[0]
    return list(dict.fromkeys([name, f"{first}.local"]))


def is_wildcard(host: str) -> bool:
    """Whether a server on `host` listens on all addresses."""
    return host == "" or host in ("0.0.0.0", "::")


def _find_outgoing(v6: bool) -> Iterable[str]:
    family = socket.AF_INET6 if v6 else socket.AF_INET
    for target in _SOMEWHERE_6 if v6 else _SOMEWHERE:
        with (
            suppress(OSError),
            socket.socket(family, socket.SOCK_DGRAM) as probe,
        ):
            # UDP: it only chooses the way there.
            probe.connect((target, _DISCARD_PORT))
            yield str(probe.getsockname()[0])


def _find_own(v6: bool) -> Iterable[str]:
    """What this machine's name stands for."""
    family = socket.AF_INET6 if v6 else socket.AF_INET
    with suppress(OSError):
        found = socket.getaddrinfo(socket.gethostname(), None, family)
        yield from (str(address[0]) for *_, address in found)


def _is_reachable(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_unspecified or parsed.is_link_local)


def _is_address(text: str) -> bool:
    with suppress(ValueError):
        ipaddress.ip_address(text)
        return True
    return False
