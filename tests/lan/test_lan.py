"""What `--lan` keeps: a certificate, its key, and the key of the server; and the code to scan."""

import hashlib
import socket
import ssl
import stat
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography import x509

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError, MissingExtraError
from data_label_factory.lan import (
    addresses,
    draw_code,
    find_addresses,
    is_wildcard,
    keep_certificate,
    keep_key,
)
from data_label_factory.lan.certificate import read_fingerprint

HOSTS = ["127.0.0.2", "cards.local"]
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_the_certificate_serves_its_hosts_to_who_trusts_its_authority(tmp_path: Path) -> None:
    kept = keep_certificate(tmp_path, HOSTS)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(kept.path)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve_once, args=(listener, context), daemon=True).start()
        trusting = ssl.create_default_context(cadata=kept.authority)
        with (
            socket.create_connection(listener.getsockname()) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.2") as secured,
        ):
            assert secured.recv(2) == b"hi"
            own = secured.getpeercert(binary_form=True)
    assert own
    digest = hashlib.sha256(own).digest()
    assert kept.fingerprint == ":".join(f"{byte:02X}" for byte in digest)
    assert read_fingerprint(kept.path) == kept.fingerprint


def serve_once(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with context.wrap_socket(connection, server_side=True) as secured:
        secured.sendall(b"hi")


def test_it_can_sign_for_nobody_else(tmp_path: Path) -> None:
    """The key that is kept is not the authority's."""
    kept = keep_certificate(tmp_path, HOSTS)
    own, authority = x509.load_pem_x509_certificates(kept.path.read_bytes())
    assert not own.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert own.public_key() != authority.public_key()
    assert kept.path.read_bytes().count(b"PRIVATE KEY-----") == 2  # one: begin and end
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"127.0.0.2", "cards.local", "localhost"} <= {str(name.value) for name in names}


def test_it_is_kept_until_an_address_is_new_or_the_end_is_near(tmp_path: Path) -> None:
    first = keep_certificate(tmp_path, HOSTS, NOW)
    assert first.path.stat().st_mode & 0o777 == 0o600
    assert keep_certificate(tmp_path, HOSTS[:1], NOW) == first
    assert keep_certificate(tmp_path, HOSTS, NOW + timedelta(360)) == first
    assert first.ends - NOW < timedelta(398)

    moved = keep_certificate(tmp_path, ["127.0.0.3"], NOW)
    assert moved.fingerprint != first.fingerprint
    renewed = keep_certificate(tmp_path, ["127.0.0.3"], NOW + timedelta(370))
    assert renewed.ends > moved.ends


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    first = keep_certificate(tmp_path, HOSTS)
    whole = first.path.read_bytes()
    first.path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    again = keep_certificate(tmp_path, HOSTS)
    assert again.fingerprint != first.fingerprint
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(again.path)


@pytest.mark.skipif(sys.platform == "win32", reason="other permissions")
def test_what_others_could_read_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "lan"
    key, certificate = keep_key(folder), keep_certificate(folder, HOSTS)
    assert keep_key(folder) == key
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    for file in folder.iterdir():
        file.chmod(0o644)
    assert keep_key(folder) != key
    assert keep_certificate(folder, HOSTS).fingerprint != certificate.fingerprint
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_key_cannot_be_guessed_and_a_short_one_is_replaced(tmp_path: Path) -> None:
    assert len(keep_key(tmp_path / "a")) >= 22
    assert keep_key(tmp_path / "a") != keep_key(tmp_path / "b")
    (tmp_path / "a" / "key").write_text("short")
    assert len(keep_key(tmp_path / "a")) >= 22


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FactoryError, match="DLF_CACHE"):
        keep_key(tmp_path / "file" / "lan")


@pytest.mark.parametrize("module", ["cryptography", "segno"])
def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"data_label_factory\[lan\]"):
        keep_certificate(tmp_path, HOSTS) if module == "cryptography" else draw_code("x")


def test_the_code_says_the_address_on_a_page_and_in_a_terminal() -> None:
    link = "https://192.168.178.21:8500/canvas/live?key=Rh0RDQgSczlGSKFMVnFjqg"
    code = draw_code(link)

    page = np.full((code.size, code.size), 255, np.uint8)
    for step in code.path.split("M")[1:]:
        x, y = step.partition("h")[0].split()
        page[int(y), int(x)] = 0
    assert read_code(page) == link

    text = code.as_text().splitlines()
    drawn = [[glyph in ("█", upper) for glyph in line] for line in text for upper in ("▀", "▄")]
    terminal = np.array(drawn, np.uint8) * 255
    assert read_code(terminal) == link
    assert max(map(len, text)) <= 60


def read_code(modules: np.ndarray) -> str:
    large = cv2.resize(modules, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    large = cv2.copyMakeBorder(large, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
    return cv2.QRCodeDetector().detectAndDecode(large)[0]


def test_addresses_are_those_that_others_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ["127.0.1.1", "10.1.2.3", "169.254.1.1"]
    outgoing = ["192.168.1.5", "10.1.2.3"]
    monkeypatch.setattr(addresses, "_find_own", lambda v6: own)
    monkeypatch.setattr(addresses, "_find_outgoing", lambda v6: outgoing)
    assert find_addresses() == ["192.168.1.5", "10.1.2.3"]
    assert is_wildcard("0.0.0.0")
    assert not is_wildcard("10.1.2.3")


def test_this_machines_addresses_are_its_own() -> None:
    for address in find_addresses():
        with socket.create_server((address, 0)):
            pass


@pytest.mark.parametrize(
    ("host", "names"),
    [("Desk.lan", ["desk.lan", "desk.local"]), ("localhost", []), ("10.0.0.1", []), ("büro", [])],
)
def test_names(monkeypatch: pytest.MonkeyPatch, host: str, names: list[str]) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert addresses.find_names() == names


def test_a_mode_is_that_of_the_file_from_the_start(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "f", 0o600) as file:
        file.write(b"x")
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
