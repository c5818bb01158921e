"""All errors of this program, as one small tree.

The library raises them; the command line prints `message` and
`hint` and exits with 2.

    FactoryError
    ├── LabelError           a label that no file name can carry
    ├── ProjectError         an invalid project YAML
    ├── MissingExtraError    an optional dependency is not installed
    ├── FetchError           a request failed
    ├── PriceError           a price file missing or damaged, an invalid exchange rate
    ├── EncoderError         weights missing, damaged or of another encoder
    ├── IndexFileError       an index file missing, damaged, or not an index
    ├── GroundTruthError     the ground truth of labeled photos cannot be read
    ├── UnknownItemError     a reference that the index does not have
    ├── ConflictError        an item, picture or list already exists, or must stay
    │   └── StaleError           an entry that was changed since it was read
    ├── ListError            an entry that cannot be on a list, a file of another format
    ├── ListFileError        the file of lists is damaged, in use or not writable
    ├── UnknownListError     a list, entry or step that does not exist
    └── ImageError           a picture that cannot be used
        ├── ImageTooLargeError       over a limit (bytes, pixels, scans)
        └── ImageUnsupportedError    not a picture in a supported format
"""

from __future__ import annotations


class FactoryError(Exception):
    """A problem the user can act on: what went wrong (`message`), what to do (`hint`)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        end = "" if self.message.endswith(".") else "."
        return f"{self.message}{end} {self.hint}" if self.hint else self.message


class LabelError(FactoryError):
    pass


class ProjectError(FactoryError):
    pass


class MissingExtraError(FactoryError):
    pass


class FetchError(FactoryError):
    """A request failed; `status` is the HTTP status of the response, 0 if there was none."""

    status = 0


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


class StaleError(ConflictError):
    """An entry was changed since it was read; `current` is what it is now."""

    current: object = None


class ListError(FactoryError):
    pass


class ListFileError(FactoryError):
    pass


class UnknownListError(FactoryError):
    pass


class ImageError(FactoryError):
    pass


class ImageTooLargeError(ImageError):
    pass


class ImageUnsupportedError(ImageError):
    pass
