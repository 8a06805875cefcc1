"""Spark's JDBC writer with pgjdbc. Loads once as warm-up, says `ready`, waits for a line, loads again, says `done`.
usage: postgres_spark.py SOURCE URI TABLE JAR PARTITIONS BATCHSIZE REWRITE(true|false) [WKT COLUMN...]"""
import os
import sys
from urllib.parse import urlsplit

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, concat, lit

source, uri, table, jar, partitions, batch_size, rewrite, *wkt = sys.argv[1:]
partitions = int(partitions)
parts = urlsplit(uri)
# stringtype=unspecified lets text go into jsonb, geometry and char columns: the server casts.
url = (f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}?{parts.query}"
       f"&reWriteBatchedInserts={rewrite}&stringtype=unspecified")
spark = (SparkSession.builder.master(f"local[{partitions}]").appName("bench")
         .config("spark.jars", jar).config("spark.driver.memory", "4g").config("spark.ui.enabled", "false")
         .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")


def load():
    frame = spark.read.parquet(source)
    for name in wkt:
        frame = frame.withColumn(name, concat(lit("SRID=4326;"), col(name)))
    if frame.rdd.getNumPartitions() < partitions:
        frame = frame.repartition(partitions)
    (frame.write.format("jdbc").mode("append").option("url", url).option("dbtable", table)
     .option("user", parts.username).option("password", os.environ["PGPASSWORD"])
     .option("driver", "org.postgresql.Driver").option("batchsize", batch_size)
     .option("numPartitions", partitions).save())


load()
print("ready", flush=True)
sys.stdin.readline()
load()
print("done", flush=True)
spark.stop()
