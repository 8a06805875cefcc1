"""Spark's JDBC writer with pgjdbc: what the entity writer of old used. Two partitions, with and without rewriting."""
from arms import Arm
from workloads import BENCH

PARTITIONS = 2
# Rows below which the old writer took that batch size; its rule knew nothing else.
GUIDE = ((10_000, 1_000), (100_000, 5_000), (1_000_000, 10_000))
OWN_DEFAULT = 1_000  # Spark's; pgjdbc makes statements of at most 128 rows whatever this says


def guide_batch(rows):
    return next((batch for limit, batch in GUIDE if rows < limit), 20_000)


def command(options, server, workload, source, rewrite, batch):
    batch = batch or guide_batch(workload.facts()["rows"])
    return [[options.spark_python, BENCH / "peers" / "postgres_spark.py", source, server.uri, workload.table,
             options.spark_jar, PARTITIONS, batch, rewrite, *workload.wkt]]


def spark_arm(options, server, name, rewrite, batch):
    shown = f"batchsize {batch:,}" if batch else "the old writer's batchsize"
    return Arm(name, f"Spark JDBC, rewrite {'on' if rewrite == 'true' else 'off'}, {shown}", action=True, spark=True,
               note=f"the write action alone, after one whole load as warm-up; {PARTITIONS} partitions, not atomic",
               commands=lambda w, source: command(options, server, w, source, rewrite, batch))


def spark_arms(options, server):
    return [spark_arm(options, server, "spark", "true", None),
            spark_arm(options, server, "spark_1000", "true", OWN_DEFAULT),
            spark_arm(options, server, "spark_off", "false", None),
            spark_arm(options, server, "spark_off_1000", "false", OWN_DEFAULT)]
