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
    +-- WorkerLost           75  a worker, or the scheduler of all, is gone or never answered: try later

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


class WorkerLost(StockcastError):
    """A worker was ended by others or never answered, as were those that followed it; or their scheduler is gone."""

    exit_code = 75
    kind = "died"


def foreseen(error: BaseException) -> StockcastError:
    """`error` as one of stockcast's own: itself, what the system refused, or else a fault whose traceback is kept."""
    if isinstance(error, StockcastError):
        return error
    if isinstance(error, OSError):
        return _of_the_system(error)
    import traceback

    return crashed("".join(traceback.format_exception(error)))


def _of_the_system(error: OSError) -> StockcastError:
    import errno

    message = f"{f'{error.filename}: ' if error.filename else ''}{error.strerror or error}."
    if isinstance(error, FileNotFoundError):
        return NotFound(message, "check the path.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        return CannotCreate(message, "choose a place that can be written, or change its permissions.")
    return IOFailure(message, "check the disk's space and health, then run the command again.")


def crashed(traceback: str) -> StockcastError:
    """The error for a fault of stockcast itself: the traceback goes to a file of its own, which is named."""
    import os
    import tempfile

    handle, name = tempfile.mkstemp(prefix="stockcast-crash-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(traceback)
    kind = traceback.strip().splitlines()[-1].partition(":")[0].rpartition(".")[2]
    return StockcastError(
        f"a fault of stockcast itself ({kind}); the details are in {name}.", "report it with that file."
    )
