"""Every failure that stockcast foresees, each with its exit code and, where there is one, its fix.

    StockcastError           70  a fault of stockcast itself
    +-- UsageError            2  wrong usage
    |   +-- ConfigError          a setting that doesn't exist or is out of bounds
    +-- DataError            65  the data can't be used as it is
    |   +-- AmbiguousData        two sound readings: the user must choose
    |   +-- TrainingDiverged     the loss is not a number
    |   +-- ModelDamaged         a saved model differs from its manifest
    |   +-- LedgerDamaged        the ledger is not what stockcast wrote
    +-- NotFound             66  a file or a model that was named does not exist
    +-- CannotCreate         73  a file or folder can't be made
    +-- IOFailure            74  reading or writing failed, such as a full disk
    +-- Busy                 75  another run holds the lock: try later

The numbers are those of sysexits.h.
"""

from typing import ClassVar


class StockcastError(Exception):
    """A failure with an exit code, a message, and the flag or command that mends it."""

    exit_code: ClassVar[int] = 70
    kind: ClassVar[str] = "internal"

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(StockcastError):
    """The command was called in a way that can't work."""

    exit_code = 2
    kind = "usage"


class ConfigError(UsageError):
    """A setting is unknown, of the wrong type, or out of bounds."""

    kind = "config"


class DataError(StockcastError):
    """The data can't be used as it is."""

    exit_code = 65
    kind = "data"


class AmbiguousData(DataError):
    """A file has two sound readings; the message names both."""

    kind = "ambiguous"


class TrainingDiverged(DataError):
    """The loss became NaN or infinite; nothing was saved."""

    kind = "diverged"


class ModelDamaged(DataError):
    """A file of a saved model is missing, stray, or differs from the manifest."""

    kind = "damaged"


class LedgerDamaged(DataError):
    """The ledger is no ledger, or not what was written into it."""

    kind = "damaged"


class NotFound(StockcastError):
    """A file or a model that was named does not exist."""

    exit_code = 66
    kind = "not_found"


class CannotCreate(StockcastError):
    """A file or folder can't be created."""

    exit_code = 73
    kind = "cannot_create"


class IOFailure(StockcastError):
    """Reading or writing failed: a full disk, a broken device, a read-only file system."""

    exit_code = 74
    kind = "io"


class Busy(StockcastError):
    """Another run holds the lock."""

    exit_code = 75
    kind = "busy"
