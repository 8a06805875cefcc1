"""The writer's postgres_performance_test: the benchmark of its methods."""
from .postgres_connectivity import benchmark_postgres_writers

__all__ = ["benchmark_postgres_writers"]
