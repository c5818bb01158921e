"""What workers make of some references: one file a block.

An `.npz`, never a pickle, that has all an index and a store of features
need to know of the pictures in it.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.content import Box
from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.index.semantic import Packed
from data_label_factory.identify.recognize.features import Features
from data_label_factory.identify.recognize.store_writer import Reference


class Entry(NamedTuple):
    """One picture: its file's SHA-256, what an index knows of it (see
    `index.meta.Row`), and what a store does, by the key 0.
    """

    sha256: str
    embedding: Embeddings
    box: Box | None
    nothing: str
    semantic: Packed | None
    reference: Reference


@dataclass(frozen=True)
class Block:
    """The `entries` of those pictures that can be read, and why the
    others cannot, by SHA-256.
    """

    entries: list[Entry]
    unreadable: dict[str, str]


def pack_block(block: Block) -> bytes:
    """A block as the bytes of its file."""
    entries = block.entries
    said = [{"box": one.box, "nothing": one.nothing, "sha256": one.sha256} for one in entries]
    about = {"entries": said, "unreadable": block.unreadable}
    columns: dict[str, NDArray[Any]] = {"about": np.array(json.dumps(about))}
    if entries:
        columns |= _stack(entries)
    file = io.BytesIO()
    np.savez(file, **columns)  # type: ignore[arg-type]  # no column has the name of an option
    return file.getvalue()


def unpack_block(data: bytes) -> Block:
    """The block that a file holds. Raises ValueError and the like for
    another file.
    """
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        columns = {name: stored[name] for name in stored.files}
    if not about["entries"]:
        return Block([], about["unreadable"])

    references = _unstack(columns)
    kinds = columns.get("semantic", [None] * len(references))
    entries = [
        Entry(
            said["sha256"],
            embedding,
            Box(*said["box"]) if said["box"] else None,
            said["nothing"],
            kind,
            reference,
        )
        for said, embedding, kind, reference in zip(
            about["entries"], columns["embeddings"], kinds, references, strict=True
        )
    ]
    return Block(entries, about["unreadable"])


def _stack(entries: list[Entry]) -> dict[str, NDArray[Any]]:
    references = [one.reference for one in entries]
    features = [one.features for one in references]
    columns = {
        "embeddings": np.stack([one.embedding for one in entries]),
        "feature_ends": np.cumsum([len(one) for one in features]),
        "shapes": np.array([one.shape for one in features]),
        "thumb_ends": np.cumsum([len(one.thumb) for one in references]),
        "thumbs": np.concatenate([one.thumb for one in references]),
        "tiny": np.stack([one.tiny for one in references]),
    }
    for name in ("xy", "size", "angle", "descriptors"):
        columns[name] = np.concatenate([getattr(one, name) for one in features])
    kinds = [one.semantic for one in entries if one.semantic is not None]
    return columns | ({"semantic": np.stack(kinds)} if kinds else {})


def _unstack(columns: dict[str, NDArray[Any]]) -> list[Reference]:
    bounds = pairwise([0, *columns["feature_ends"].tolist()])
    thumbs = np.split(columns["thumbs"], columns["thumb_ends"][:-1])
    references = []
    for (start, end), shape, thumb, tiny in zip(
        bounds, columns["shapes"].tolist(), thumbs, columns["tiny"], strict=True
    ):
        own = {name: columns[name][start:end] for name in ("xy", "size", "angle", "descriptors")}
        features = Features(**own, shape=(shape[0], shape[1]))
        references.append(Reference(0, features, thumb, tiny))
    return references
