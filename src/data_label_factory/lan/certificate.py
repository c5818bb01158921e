"""A certificate for the addresses of this machine: made by it,
kept, and made again when an address is new or the end is near.

An authority signs it, whose key is thrown away at once. So a phone
may be told to trust that authority: nobody can ever make it sign
for another site. X.509 is RFC 5280.
"""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from data_label_factory.extras import need
from data_label_factory.lan.private_files import (
    read_private,
    write_private,
)

_FILE = "certificate.pem"
# Apple's systems refuse longer ones of servers, other than of
# authorities that a user added, which may have 825.
_DAYS = 397
_RENEWED_DAYS = 30  # before the end
_EARLY = timedelta(days=1)  # for phones whose clock is behind
_NAME = "data_label_factory on this network"
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """`path` holds the key, the certificate and its authority, as
    PEM; `authority` is what a phone may be told to trust, in DER.
    """

    path: Path
    fingerprint: str
    authority: bytes
    ends: datetime


def keep_certificate(
    folder: Path,
    hosts: Sequence[str],
    now: datetime | None = None,
) -> Certificate:
    """The certificate in `folder`, a new one if that is not for
    all `hosts` (names and addresses), or ends within 30 days.

    Raises MissingExtraError without the extra `lan`, and
    FactoryError if it cannot be written.
    """
    x509 = need("cryptography.x509", extra="lan")
    now = now or datetime.now(UTC)
    wanted = sorted({*hosts, *_LOCAL})
    path = folder / _FILE

    kept = read_private(path)
    if kept is not None:
        with suppress(ValueError, x509.ExtensionNotFound):
            found = _read(path, kept, x509)
            is_current = set(wanted) <= set(_list_hosts(kept, x509))
            if is_current and found.ends - now > timedelta(_RENEWED_DAYS):
                return found

    made = _make(wanted, now, x509)
    write_private(path, made)
    return _read(path, made, x509)


def read_fingerprint(path: Path) -> str:
    """The SHA-256 of the first certificate of a PEM file, as
    browsers show it. Raises ValueError if it has none.
    """
    text = path.read_text("ascii", "replace")
    start = "-----BEGIN CERTIFICATE-----"
    end = "-----END CERTIFICATE-----"
    body = text.partition(start)[2].partition(end)[0]
    return _spell(ssl.PEM_cert_to_DER_cert(f"{start}{body}{end}\n"))


def _read(path: Path, pem: bytes, x509: Any) -> Certificate:
    """Raises ValueError if a part is missing or damaged."""
    serialization = _serialization()
    own, authority = x509.load_pem_x509_certificates(pem)
    serialization.load_pem_private_key(pem, None)
    der = serialization.Encoding.DER
    return Certificate(
        path,
        _spell(own.public_bytes(der)),
        authority.public_bytes(der),
        own.not_valid_after_utc,
    )


def _list_hosts(pem: bytes, x509: Any) -> Iterable[str]:
    own = x509.load_pem_x509_certificates(pem)[0]
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in names.value]


def _make(hosts: Sequence[str], now: datetime, x509: Any) -> bytes:
    """A key, a certificate and its authority, as PEM."""
    ec = need("cryptography.hazmat.primitives.asymmetric.ec", extra="lan")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name(f"{_NAME} {now:%Y-%m-%d}", x509)

    authority = (
        _begin(authority_name, authority_key, now, x509)
        .issuer_name(authority_name)
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
        .add_extension(_usage(x509, key_cert_sign=True), critical=True)
    )
    own = (
        _begin(_name(hosts[0], x509), key, now, x509)
        .issuer_name(authority_name)
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(_usage(x509, digital_signature=True), critical=True)
        .add_extension(_alternatives(hosts, x509), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        .add_extension(_identify_issuer(authority_key, x509), critical=False)
    )
    return _as_pem(key, [own, authority], authority_key)


def _begin(subject: Any, key: Any, now: datetime, x509: Any) -> Any:
    public = key.public_key()
    subject_id = x509.SubjectKeyIdentifier.from_public_key(public)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now - _EARLY + timedelta(_DAYS))
        .add_extension(subject_id, critical=False)
    )


def _identify_issuer(key: Any, x509: Any) -> Any:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(x509: Any, **allowed: bool) -> Any:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def _name(text: str, x509: Any) -> Any:
    # A common name has at most 64 characters.
    common = x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])
    return x509.Name([common])


def _alternatives(hosts: Sequence[str], x509: Any) -> Any:
    names = []
    for host in hosts:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names.append(x509.DNSName(host))
        else:
            names.append(x509.IPAddress(address))
    return x509.SubjectAlternativeName(names)


def _as_pem(key: Any, builders: Sequence[Any], authority_key: Any) -> bytes:
    hashes = need("cryptography.hazmat.primitives.hashes", extra="lan")
    serialization = _serialization()
    pem = serialization.Encoding.PEM

    parts = [
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    ]
    for builder in builders:
        signed = builder.sign(authority_key, hashes.SHA256())
        parts.append(signed.public_bytes(pem))
    return b"".join(parts)


def _serialization() -> Any:
    module = "cryptography.hazmat.primitives.serialization"
    return need(module, extra="lan")


def _spell(der: bytes) -> str:
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
