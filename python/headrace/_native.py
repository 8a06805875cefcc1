"""The native library (include/headrace/c.h) through ctypes: one function, JSON in and JSON out.

ctypes lets the GIL go while headrace_run() runs, so other Python threads and other loads go on.
"""
from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

ABI = 1
_NAME = "libheadrace_c.so"


class Progress(NamedTuple):
    """How far a load is."""

    rows_written: int
    rows_total: int  #: -1: not known
    bytes_sent: int
    seconds: float
    phase: str


class _Progress(ctypes.Structure):
    _fields_ = [("rows_written", ctypes.c_int64), ("rows_total", ctypes.c_int64), ("bytes_sent", ctypes.c_int64),
                ("seconds", ctypes.c_double), ("phase", ctypes.c_char_p)]


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
_PROGRESS = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Progress))


class _Observer(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("user", ctypes.c_void_p), ("log", _LOG), ("progress", _PROGRESS)]


def _advice(reason: str) -> str:
    if "libpq" in reason:
        return "it needs PostgreSQL's client library: install libpq5 (Debian, Ubuntu) or libpq (Fedora)"
    if "libsqlite3" in reason:
        return "it needs SQLite's library: install libsqlite3-0 (Debian, Ubuntu) or sqlite-libs (Fedora)"
    if "GLIBC" in reason or "GLIBCXX" in reason:
        return "this system's C library is older than the one it was built for: build it here, by `pip install .`"
    if "No such file" in reason or "cannot open shared object" in reason:
        return "install headrace by `pip install .`, or name the library in HEADRACE_LIBRARY"
    return "install headrace anew, by `pip install --force-reinstall .`"


def _open() -> ctypes.CDLL:
    path = os.environ.get("HEADRACE_LIBRARY") or str(Path(__file__).parent / _NAME)
    try:
        library = ctypes.CDLL(path)
        abi = library.headrace_c_abi()
    except (OSError, AttributeError) as error:
        raise ImportError(f"headrace's native library {path} does not load: {error}; {_advice(str(error))}",
                          name="headrace", path=path) from None
    if abi != ABI:
        raise ImportError(f"headrace's native library {path} has C ABI {abi}, this package needs {ABI}; "
                          "install both from one place", name="headrace", path=path)
    return library


_library = _open()
_library.headrace_c_version.restype = ctypes.c_char_p
_library.headrace_cancel_new.restype = ctypes.c_void_p
_library.headrace_cancel_set.argtypes = [ctypes.c_void_p]
_library.headrace_cancel_free.argtypes = [ctypes.c_void_p]
_library.headrace_run.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER(_Observer),
                                  ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
_library.headrace_free.argtypes = [ctypes.c_void_p]

_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

version: str = _library.headrace_c_version().decode()


class CancelToken:
    """Stops loads: `load(..., cancel=token)`, and `token.cancel()` from any thread."""

    def __init__(self) -> None:
        self._handle: Optional[int] = _library.headrace_cancel_new()
        if self._handle is None:
            raise MemoryError("headrace_cancel_new")

    def cancel(self) -> None:
        """Asks the loads that have this token to stop. They raise LoadCancelled; their targets are as they were."""
        _library.headrace_cancel_set(self._handle)

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            _library.headrace_cancel_free(handle)


def run(command: str, request: Dict[str, Any], capsule: Any = None, *,
        log: Optional[Callable[[str], None]] = None, progress: Optional[Callable[[Progress], None]] = None,
        cancel: Optional[CancelToken] = None) -> Tuple[int, Dict[str, Any]]:
    """Runs a command to its end; returns its exit code and its result, which has a member "error" when it failed.

    `capsule` is what `__arrow_c_stream__` returned; it is used up. `log` and `progress` are called in this thread
    and must not raise.
    """
    def on_log(_: Any, line: bytes) -> None:
        if log is not None:
            log(line.decode("utf-8", "replace"))

    def on_progress(_: Any, now: Any) -> None:
        if progress is not None:
            p = now.contents
            progress(Progress(p.rows_written, p.rows_total, p.bytes_sent, p.seconds, (p.phase or b"").decode()))

    observer = _Observer(ctypes.sizeof(_Observer), None, _LOG(on_log), _PROGRESS(on_progress))
    stream = None if capsule is None else _capsule_pointer(capsule, b"arrow_array_stream")
    result = ctypes.c_void_p()
    code = _library.headrace_run(command.encode(), json.dumps(request).encode(), stream, ctypes.byref(observer),
                                 None if cancel is None else cancel._handle, ctypes.byref(result))
    if not result.value:
        raise MemoryError("headrace ran out of memory")
    try:
        return code, json.loads(ctypes.string_at(result.value))
    finally:
        _library.headrace_free(result)
