"""A server that a phone in the same network can open: this
machine's addresses, a certificate for them, a key, and a code to
scan.

`cryptography` and `segno`, of the extra `lan`, are imported where
they are used.
"""

from data_label_factory.lan.addresses import find_addresses, is_wildcard
from data_label_factory.lan.certificate import Certificate, keep_certificate
from data_label_factory.lan.key import keep_key
from data_label_factory.lan.qr import QrCode, draw_code

__all__ = [
    "Certificate",
    "QrCode",
    "draw_code",
    "find_addresses",
    "is_wildcard",
    "keep_certificate",
    "keep_key",
]
