"""Results as objects: attributes named as in the JSON, to_dict(), and a text and an HTML form."""
from __future__ import annotations

import copy
import html
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple


class Decision(NamedTuple):
    """A choice of the plan, with its reason."""

    subject: str
    choice: str
    reason: str


class Finding(NamedTuple):
    """Something that check() looked at."""

    subject: str
    state: str  #: ok, warning, missing or error
    detail: str
    advice: Optional[str]


class Result:
    """What a command returned. Members of the JSON are attributes."""

    def __init__(self, raw: Dict[str, Any]) -> None:
        self._raw = raw
        for name, value in raw.items():
            setattr(self, name, value)
        if "decisions" in raw:
            self.decisions = [Decision(d["subject"], d["choice"], d["reason"]) for d in raw["decisions"]]

    def to_dict(self) -> Dict[str, Any]:
        """The JSON object, as a copy of its own."""
        return copy.deepcopy(self._raw)

    def _lines(self) -> Iterable[Tuple[str, str]]:
        """Label and text of what a person wants to see."""
        return [(name, str(value)) for name, value in self._raw.items() if value not in (None, [], {}, "")]

    def __repr__(self) -> str:
        lines = list(self._lines())
        width = max((len(label) for label, _ in lines), default=0)
        body = "\n".join(f"  {label:<{width}}  {text}" for label, text in lines)
        return f"{type(self).__name__}\n{body}"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
                       f"<td style='text-align:left'>{html.escape(text)}</td></tr>" for label, text in self._lines())
        return f"<table><caption>headrace {html.escape(type(self).__name__.lower())}</caption>{rows}</table>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._raw == other._raw  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]


class Report(Result):
    """What a load did. Sizes are in bytes, times in seconds; None: not known."""

    schema_version: int
    status: str  #: ok, failed or cancelled
    load_id: str
    table: str
    mode: str
    method: str  #: how the rows travelled
    method_requested: str
    method_reason: str
    fallback_reason: Optional[str]
    commit_scope: str
    connections: int
    partitions: int
    rows_read: int
    rows_written: int
    rows_rejected: int
    rows_repaired: int
    bytes_read: int
    bytes_encoded: int
    bytes_sent: int
    seconds: float
    rows_per_second: float
    phases: Dict[str, float]  #: plan, read, encode, send, commit, index, verify; overlapping ones are summed over threads
    peak_memory_bytes: int  #: of the whole process
    client_cpu_seconds: float  #: of the whole process, during the load
    lock_seconds: float  #: longest exclusive lock on the target
    wal_bytes: Optional[int]
    files: List[str]
    warnings: List[str]
    decisions: List[Decision]

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def _lines(self) -> Iterable[Tuple[str, str]]:
        yield "status", self.status
        yield "table", f"{self.table} ({self.mode})"
        yield "rows", f"{self.rows_written:,} written, {self.rows_read:,} read" + "".join(
            f", {count:,} {what}" for count, what in
            ((self.rows_rejected, "rejected"), (self.rows_repaired, "repaired")) if count)
        yield "time", f"{self.seconds:.3f} s, {self.rows_per_second:,.0f} rows/s"
        reason = f": {self.method_reason}" if self.method_reason else ""
        yield "method", f"{self.method}{reason}"
        yield "commit", f"{self.commit_scope}, {self.connections} connections, {self.partitions} partitions"
        yield "bytes", f"{self.bytes_sent:,} sent"
        for path in self.files:
            yield "file", path
        yield "load id", self.load_id
        for warning in self.warnings:
            yield "warning", warning


class Plan(Result):
    """What a load would do, and why. Nothing was written."""

    target: str  #: without its password
    table: str
    mode: str
    method: str
    method_reason: str
    commit_scope: str
    columns: List[Dict[str, Any]]
    ddl: List[str]  #: the statements that make the table
    decisions: List[Decision]
    warnings: List[str]

    def _lines(self) -> Iterable[Tuple[str, str]]:
        for name in ("source", "target", "table", "mode", "method", "method_reason", "commit_scope"):
            if self._raw.get(name):
                yield name.replace("_", " "), str(self._raw[name])
        for statement in self.ddl:
            yield "ddl", " ".join(statement.split())
        for decision in self.decisions:
            yield decision.subject, f"{decision.choice}: {decision.reason}"
        for warning in self.warnings:
            yield "warning", warning


class Readiness(Result):
    """Whether a target is ready for a load. bool(readiness) is its answer."""

    target: str  #: without its password
    table: Optional[str]
    server_kind: Optional[str]
    ready: bool
    best_method: Optional[str]
    reason: str
    findings: List[Finding]

    def __init__(self, raw: Dict[str, Any]) -> None:
        super().__init__(raw)
        self.findings = [Finding(f["subject"], f["state"], f["detail"], f["advice"]) for f in raw["findings"]]

    def __bool__(self) -> bool:
        return self.ready

    def _lines(self) -> Iterable[Tuple[str, str]]:
        yield "target", self.target
        yield "ready", "yes" if self.ready else f"no: {self.reason}"
        if self.best_method:
            yield "method", f"{self.best_method}: {self.reason}"
        for finding in self.findings:
            advice = f" -> {finding.advice}" if finding.advice else ""
            yield finding.subject, f"{finding.state}: {finding.detail}{advice}"


class Recommendation(Result):
    """The published recommendation for a number of rows."""

    method: str
    batch_size: int
    num_partitions: int
    notes: List[str]


class GcReport(Result):
    """What gc() found and removed."""

    target: str
    dry_run: bool
    leftovers: List[Dict[str, Any]]
