"""What can go wrong, as one small tree.

The library raises these; the command line prints `message` and `hint` and exits 2.

    FactoryError
    ├── LabelError           a name that no file can carry
    ├── ProjectError         a project YAML that is not one
    ├── MissingExtraError    an optional dependency is not installed
    ├── FetchError           something a server did not give
    ├── PriceError           a price file missing or damaged, an invalid exchange rate
    ├── EncoderError         weights missing, damaged or of another encoder
    ├── IndexFileError       an index file missing, damaged, or made by something else
    ├── GroundTruthError     the ground truth of labeled photos cannot be read
    ├── UnknownItemError     a reference that the index does not have
    ├── ConflictError        an item or picture that is there already, or must stay
    └── ImageError           a picture that cannot be used
        ├── ImageTooLargeError       over a limit (bytes, pixels, scans)
        └── ImageUnsupportedError    not a picture in a format we read
"""

from __future__ import annotations


class FactoryError(Exception):
    """A problem the user can act on: what went wrong, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class LabelError(FactoryError):
    pass


class ProjectError(FactoryError):
    pass


class MissingExtraError(FactoryError):
    pass


class FetchError(FactoryError):
    status = 0  # of HTTP, where there was one: 404 often means no more than "nothing found"


class PriceError(FactoryError):
    pass


class EncoderError(FactoryError):
    pass


class IndexFileError(FactoryError):
    pass


class GroundTruthError(FactoryError):
    pass


class UnknownItemError(FactoryError):
    pass


class ConflictError(FactoryError):
    pass


class ImageError(FactoryError):
    pass


class ImageTooLargeError(ImageError):
    pass


class ImageUnsupportedError(ImageError):
    pass
