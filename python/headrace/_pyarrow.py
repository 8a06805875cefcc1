"""pyarrow, imported when it is needed: a polars frame gets by without it."""
from __future__ import annotations

from typing import Any


def pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError("this source needs pyarrow: pip install pyarrow") from error
    return pa
