"""Arrow batches in memory to a finished and synced SQLite file, one thread on one core."""
from aims import aim, times
from arms import Arm
from sqlite_target import SqliteTarget


class MemoryTarget(SqliteTarget):
    name = "memory"
    own_clock = True
    workloads = ("lineitem", "flights")
    title = "SQLite from Arrow batches in memory, one thread on one core, to the synced file"

    def arms(self):
        return [self.one("pages", "headrace, pages", ours=True),
                self.one("prepared", "prepared INSERT in C++, journal and sync off",
                         note="one transaction; texts are bound without a copy; then synced")]

    def one(self, how, label, **more):
        return Arm(how, label, commands=lambda w, source: [
            ["taskset", "-c", "0", self.options.bench_sqlite, how, source, self.out, w.table]], **more)

    def settings(self):
        return {"clock": "the seconds that the program reports; reading the Parquet file is outside"}

    def remarks(self, result):
        ratio = times(result, "pages", "prepared")
        return [], [aim("pages are at least 20 times as fast as the prepared statement", ratio, at_least=20)] if ratio else []
