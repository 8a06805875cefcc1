"""What headrace raises. Every class has the same attributes; catch HeadraceError for all of them."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Type

if TYPE_CHECKING:
    from ._report import Report


class HeadraceError(Exception):
    """A command of headrace failed. A load that failed has left its target as it was."""

    code: str = "internal"  #: stable name of the kind of failure, as in the report's error.code

    def __init__(self, message: str, *, hint: str = "", sqlstate: str = "", file: str = "",
                 partition: Optional[int] = None, row: Optional[int] = None, column: str = "",
                 retryable: bool = False, context: Optional[List[str]] = None,
                 report: Optional["Report"] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint  #: what to do; may be empty
        self.sqlstate = sqlstate  #: five characters when the database refused; else empty
        self.file = file  #: file or name of the source; empty: not known
        self.partition = partition  #: part of the source, 0-based; None: not known
        self.row = row  #: row of the file or stream, 1-based; None: not known
        self.column = column  #: empty: not known
        self.retryable = retryable  #: whether the same load may succeed later
        self.context = list(context or [])  #: further failures that came with it
        self.report = report  #: of a load; None for other commands

    def __str__(self) -> str:
        place = []
        if self.file:
            place.append(self.file)
        if self.row is not None:
            place.append(f"row {self.row:,}")
        if self.column and f"column {self.column}" not in self.message:
            place.append(f"column {self.column}")
        text = self.message
        if place:
            text += f" (at {', '.join(place)})"
        if self.sqlstate:
            text += f" [SQLSTATE {self.sqlstate}]"
        if self.hint:
            text += f"\nhint: {self.hint}"
        return text

    def __reduce__(self) -> Any:  # keyword arguments, across processes too
        return _restore, (type(self), self.message, {name: value for name, value in self.__dict__.items()
                                                     if name not in ("message", "report")})


def _restore(kind: Type[HeadraceError], message: str, attributes: Dict[str, Any]) -> HeadraceError:
    error = kind(message)
    error.__dict__.update(attributes)
    return error


class UsageError(HeadraceError, ValueError):
    """The request contradicts itself or names something unknown."""

    code = "usage"


class NotFoundError(HeadraceError):
    """A source, table, schema or folder is not there."""

    code = "not_found"


class SourceError(HeadraceError):
    """The source cannot be read. What an iterator raised is the __cause__."""

    code = "source"


class TypeMismatchError(HeadraceError):
    """Columns or types of source and target do not fit."""

    code = "type_mismatch"


class DatabaseConnectionError(HeadraceError):
    """The server is not reachable, or the connection was lost."""

    code = "connection"


class AuthenticationError(DatabaseConnectionError):
    """The server refused the user, the password or the database."""

    code = "authentication"


class TargetExistsError(HeadraceError):
    """Mode create, and the table is there."""

    code = "target_exists"


class RejectedValueError(HeadraceError, ValueError):
    """A value cannot be stored unchanged; row and column say which."""

    code = "rejected_value"


class ServerError(HeadraceError):
    """The database refused a statement; sqlstate says why."""

    code = "server"


class IOFailure(HeadraceError):
    """Reading or writing a file failed: disk full, permission."""

    code = "io"


class LoadCancelled(HeadraceError):
    """The load was stopped by a CancelToken. (Ctrl-C raises KeyboardInterrupt.)"""

    code = "cancelled"


class UnsupportedError(HeadraceError, NotImplementedError):
    """headrace does not do this, or not yet."""

    code = "unsupported"


class RetriesExhausted(HeadraceError):
    """Every attempt failed with something that may pass."""

    code = "retries_exhausted"


class InternalError(HeadraceError):
    """A fault of headrace."""


_CLASSES = {kind.code: kind for kind in (
    UsageError, NotFoundError, SourceError, TypeMismatchError, DatabaseConnectionError, AuthenticationError,
    TargetExistsError, RejectedValueError, ServerError, IOFailure, LoadCancelled, UnsupportedError, RetriesExhausted)}

# --lock-timeout of the command line is the argument lock_timeout.
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")


def in_python(text: Optional[str]) -> str:
    """A text of the library with options as Python names them."""
    return _OPTION.sub(lambda found: found[1].replace("-", "_"), text or "")


def error_from(json_error: Dict[str, Any], report: Optional["Report"] = None) -> HeadraceError:
    """The exception for the member "error" of a result."""
    where = json_error.get("where") or {}
    kind = _CLASSES.get(json_error["code"], InternalError)
    error = kind(in_python(json_error["message"]), hint=in_python(json_error.get("hint")),
                 sqlstate=json_error.get("sqlstate") or "", file=where.get("file") or "",
                 partition=where.get("partition"), row=where.get("row"), column=where.get("column") or "",
                 retryable=bool(json_error.get("retryable")),
                 context=[in_python(line) for line in json_error.get("context") or []], report=report)
    error.code = json_error["code"]
    return error
