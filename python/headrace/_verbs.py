"""The verbs that read no rows."""
from __future__ import annotations

from typing import Any, Dict, Optional

from . import _native
from ._conninfo import target_of
from ._errors import error_from
from ._load import Target, request_of
from ._report import GcReport, Readiness, Recommendation


def _run(command: str, request: Dict[str, Any]) -> Dict[str, Any]:
    _, raw = _native.run(command, request)
    if "error" in raw:
        raise error_from(raw["error"])
    return raw


def check(to: Target, table: Optional[str] = None) -> Readiness:
    """Whether a target is ready for a load, and if not, what to do. Connects and looks; changes nothing."""
    with target_of(to) as target:
        return Readiness(_run("check", request_of(target, {"table": table})))


def recommend(rows: int, memory_gb: float = 8) -> Recommendation:
    """The published recommendation for a number of rows. The plan of a real load looks at more, and may differ."""
    return Recommendation(_run("recommend", {"rows": int(rows), "memory_gb": memory_gb}))


def gc(to: Target, schema: Optional[str] = None, dry_run: bool = False) -> GcReport:
    """Removes what crashed loads left in a target; never touches a running load."""
    with target_of(to) as target:
        return GcReport(_run("gc", request_of(target, {"schema": schema, "dry_run": dry_run})))
