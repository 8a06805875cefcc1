"""Progress of a load, for whoever asks: a line on a terminal, a bar in a notebook, a function of the user's."""
from __future__ import annotations

import html
import sys
from typing import Any, Callable, Union

from ._errors import UsageError
from ._native import Progress

Shown = Union[None, bool, str, Callable[[Progress], Any]]


def text_of(now: Progress) -> str:
    rows = f"{now.rows_written:,} rows"
    if now.rows_total > 0:
        rows += f" of {now.rows_total:,} ({100 * now.rows_written / now.rows_total:.0f} %)"
    rate = now.rows_written / now.seconds if now.seconds > 0 else 0
    text = f"{rows}, {now.bytes_sent / 1e6:,.1f} MB, {rate:,.0f} rows/s"
    if now.rows_total > now.rows_written and rate > 0:
        text += f", {(now.rows_total - now.rows_written) / rate:.0f} s left"
    return text


class Silent:
    """Nothing is shown. Also the interface of the others; all is called in the thread of load()."""

    def update(self, now: Progress) -> None:
        """About ten times a second."""

    def close(self) -> None:
        """At the end, whatever it was."""


class Terminal(Silent):
    """One line on stderr that is written over."""

    def __init__(self) -> None:
        self._width = 0

    def _write(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
        sys.stderr.flush()
        self._width = len(text)

    def update(self, now: Progress) -> None:
        self._write("headrace: " + text_of(now))

    def close(self) -> None:
        if self._width:
            self._write("")


class Lines(Silent):
    """A line on stderr every ten seconds."""

    def __init__(self) -> None:
        self._last = 0.0

    def update(self, now: Progress) -> None:
        if now.seconds - self._last >= 10:
            self._last = now.seconds
            sys.stderr.write(f"headrace: {text_of(now)}\n")


class Notebook(Silent):
    """A bar below the cell, taken away at the end."""

    def __init__(self) -> None:
        from IPython.display import HTML, display
        self._html = HTML
        self._handle = display(HTML(""), display_id=True)

    def update(self, now: Progress) -> None:
        bar = f"<progress max='{now.rows_total}' value='{now.rows_written}'></progress> " if now.rows_total > 0 else ""
        self._handle.update(self._html(bar + html.escape(text_of(now))))

    def close(self) -> None:
        self._handle.update(self._html(""))


class Function(Silent):
    def __init__(self, function: Callable[[Progress], Any]) -> None:
        self._function = function

    def update(self, now: Progress) -> None:
        self._function(now)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def shown(progress: Shown) -> Silent:
    if progress is None or progress is False:
        return Silent()
    if callable(progress):
        return Function(progress)
    if progress is True or progress == "auto":
        progress = "notebook" if _in_notebook() else "terminal" if sys.stderr.isatty() else "lines"
    kinds = {"notebook": Notebook, "terminal": Terminal, "lines": Lines}
    if progress not in kinds:
        raise UsageError(f"progress {progress!r} is not known", hint="give True, a function, notebook, terminal or lines")
    return kinds[progress]()
