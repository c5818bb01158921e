"""OpenAI's CLIP ViT-B/32, image tower only: it knows what a picture
means, not which one it is.

Radford et al., "Learning Transferable Visual Models From Natural
Language Supervision", ICML 2021. An ONNX export is fetched once
from its hub, checked against the SHA-256 that the hub states, and
kept in the cache folder.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data_label_factory.atomic import write_text
from data_label_factory.errors import EncoderError, FactoryError
from data_label_factory.extras import need
from data_label_factory.folders import cache_folder
from data_label_factory.identify.encoders.base import EncoderSpec, Preprocess
from data_label_factory.identify.encoders.onnx import file_sha256

REPOSITORY = "Qdrant/clip-ViT-B-32-vision"
MODEL_FILE = "model.onnx"
_CHECKSUM_FILE = "model.onnx.sha256.json"
_PROBE_SECONDS = 0.8

# Preprocessing, mean and deviation as published with CLIP.
RECIPE = Preprocess(
    side=224,
    fit="crop",
    resample="bicubic",
    layout="NCHW-float32",
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
)


def weights_in_cache() -> bool:
    """Whether CLIP can be opened without a network."""
    return (_home() / MODEL_FILE).is_file()


def locate(folder: str) -> Path:
    """Return the model in `folder`, or in the cache if `folder` is "".

    Fetch it there if needed.

    Raises EncoderError if there is no model in `folder`, if it
    cannot be fetched, or if the cached file is not the one that was
    fetched.
    """
    if folder:
        model = Path(folder).expanduser() / MODEL_FILE
        if not model.is_file():
            raise EncoderError(
                f"There is no {MODEL_FILE} in {folder}",
                _manual_download_hint(Path(folder)),
            )
        return model

    home = _home()
    model = home / MODEL_FILE
    if not model.is_file():
        fetch(home)
    elif (home / _CHECKSUM_FILE).is_file():
        _check_unchanged(model, home / _CHECKSUM_FILE)
    return model


def _home() -> Path:
    return cache_folder() / "clip-vit-b-32"


def fetch(home: Path) -> None:
    """Download the model into `home`, check it, and note its
    SHA-256 there.

    Raises EncoderError.
    """
    hub = need("huggingface_hub", extra="clip")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    hint = _manual_download_hint(home)
    if not _is_reachable(endpoint):
        raise EncoderError(
            f"The weights of CLIP are not here yet and {endpoint} cannot be reached", hint
        )

    home.mkdir(parents=True, exist_ok=True)
    # A separate folder for each process, in case another one is fetching as well.
    staging = Path(tempfile.mkdtemp(prefix="fetching-", dir=home))
    try:
        download, sha256 = _download(hub, endpoint, staging)
        download.replace(home / MODEL_FILE)
        size = (home / MODEL_FILE).stat().st_size
        write_text(home / _CHECKSUM_FILE, json.dumps({"sha256": sha256, "bytes": size}))
    except FactoryError:
        raise
    except Exception as exc:  # the hub library's own errors, those of httpx, and OSError
        raise EncoderError(f"Could not fetch {REPOSITORY} from {endpoint} ({exc})", hint) from exc
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _download(hub: Any, endpoint: str, folder: Path) -> tuple[Path, str]:
    """The model, downloaded into `folder`, and its SHA-256.

    Raises EncoderError if it is wrong.
    """
    url = hub.hf_hub_url(REPOSITORY, MODEL_FILE, endpoint=endpoint)
    stated = hub.get_hf_file_metadata(url, endpoint=endpoint).etag or ""
    file = hub.hf_hub_download(REPOSITORY, MODEL_FILE, local_dir=folder, endpoint=endpoint)

    download = Path(file)
    sha256 = file_sha256(download)
    # The hub's ETag of a large file is its SHA-256. Anything else cannot be checked.
    if sha256 != stated:
        raise EncoderError(
            f"{MODEL_FILE} arrived with SHA-256 {sha256[:12]}, the hub states {stated[:12]}",
            "Try again",
        )
    return download, sha256


def _check_unchanged(model: Path, checksum: Path) -> None:
    try:
        noted = json.loads(checksum.read_text("utf-8"))
        unchanged = model.stat().st_size == noted["bytes"] and file_sha256(model) == noted["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        unchanged = False
    if not unchanged:
        raise EncoderError(
            f"{model} is not the file that was fetched",
            "Delete it; the next use fetches it again",
        )


def _is_reachable(endpoint: str) -> bool:
    """Whether a connection opens.

    The download would retry for most of a minute before failing.
    """
    if os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0"):
        return False
    proxies = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    if any(os.environ.get(name) for name in proxies):
        return True  # only the proxy knows

    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    opened = threading.Event()

    def probe() -> None:
        with suppress(OSError):
            socket.create_connection((host, port), timeout=_PROBE_SECONDS).close()
            opened.set()

    # In a thread, since no timeout limits the name lookup when the name server is down.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return opened.is_set()


def _manual_download_hint(folder: Path) -> str:
    return (
        f"On a machine with a network, download {MODEL_FILE} of {REPOSITORY} and put it into "
        f"{folder}, or name the folder that holds it: --encoder clip:DIR"
    )


CLIP = EncoderSpec(
    id="clip",
    dim=512,
    recipe=RECIPE,
    locate=locate,
    license="MIT",
    why="meaning rather than picture: three-dimensional products, plants; fetched once (335 MB)",
)
