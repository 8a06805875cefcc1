"""An iterable of the user's, read in the thread that called load(), and handed to the thread that loads.

At most two batches are on their way, so an iterable without end needs no memory.
"""
from __future__ import annotations

import queue
import threading
from typing import Any, Callable, Iterator, List, Optional

from ._frames import as_batches

_WAIT = 0.1  # seconds until the other side is looked after


class Feed:
    def __init__(self, first: List[Any], rest: Iterator[Any], schema: Any) -> None:
        self._first = first
        self._rest = rest
        self._schema = schema
        self._queue: "queue.Queue[Any]" = queue.Queue(maxsize=1)
        self._stopped = threading.Event()
        self.failure: Optional[BaseException] = None

    def pump(self, done: threading.Event, tick: Callable[[], None]) -> None:
        """Reads the iterable to its end, or until `done`. What it raises is told to the load, and kept in `failure`;
        KeyboardInterrupt and the like are raised."""
        batches = self._batches()
        while True:
            try:
                batch = next(batches)
            except StopIteration:
                break
            except Exception as error:
                self.failure = error
                break
            if not self._put(batch, done, tick):
                return
        self._put(None, done, tick)

    def _batches(self) -> Iterator[Any]:
        yield from self._first
        self._first = []
        for item in self._rest:
            yield from as_batches(item, self._schema)

    def _put(self, batch: Any, done: threading.Event, tick: Callable[[], None]) -> bool:
        while not done.is_set():
            tick()
            try:
                self._queue.put(batch, timeout=_WAIT)
                return True
            except queue.Full:
                continue
        return False

    def stop(self) -> None:
        """Ends taken(), also while it waits."""
        self._stopped.set()

    def taken(self) -> Iterator[Any]:
        """The batches, in the thread that loads."""
        while True:
            try:
                batch = self._queue.get(timeout=_WAIT)
            except queue.Empty:
                if self._stopped.is_set():
                    return
                continue
            if batch is None:
                if self.failure is not None:
                    raise self.failure
                return
            yield batch
