"""headrace loads dataframes and files into PostgreSQL and SQLite, as fast as the database can take it.

    import headrace
    report = headrace.load(df, "postgresql://me@localhost/db", "flights", mode="replace")
    print(report)

Every value arrives unchanged or is reported, and every load is all or nothing.
"""
from ._errors import (AuthenticationError, DatabaseConnectionError, HeadraceError, InternalError, IOFailure,
                      LoadCancelled, NotFoundError, RejectedValueError, RetriesExhausted, ServerError, SourceError,
                      TargetExistsError, TypeMismatchError, UnsupportedError, UsageError)
from ._load import load, plan
from ._native import CancelToken, Progress
from ._native import version as __version__
from ._report import Decision, Finding, GcReport, Plan, Readiness, Recommendation, Report
from ._verbs import check, gc, recommend
from .compat.postgres_connectivity import (benchmark_postgres_writers, get_copy_protocol_recommendation,
                                           get_performance_recommendations, write_to_postgres, write_to_sqlite)

__all__ = [
    "AuthenticationError", "CancelToken", "DatabaseConnectionError", "Decision", "Finding", "GcReport",
    "HeadraceError", "IOFailure", "InternalError", "LoadCancelled", "NotFoundError", "Plan", "Progress", "Readiness",
    "Recommendation", "RejectedValueError", "Report", "RetriesExhausted", "ServerError", "SourceError",
    "TargetExistsError", "TypeMismatchError", "UnsupportedError", "UsageError", "__version__",
    "benchmark_postgres_writers", "check", "gc", "get_copy_protocol_recommendation",
    "get_performance_recommendations", "load", "plan", "recommend", "write_to_postgres", "write_to_sqlite",
]
