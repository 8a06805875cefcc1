"""Encoding alone: batches in memory to PGCOPY bytes in memory, one thread, no server in the clock."""
import hashlib

from arms import Arm, peer
from postgres_tables import quoted
from reports import parsed
from shell import BenchError
from target import Target

KEYS = {"rows", "seconds", "bytes", "cpu_seconds"}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wrong(difference):
    return {"ok": False, "differences": [difference]}


class EncodeTarget(Target):
    name = "encode"
    own_clock = True
    workloads = ("lineitem", "flights")
    title = "Encoding alone: Arrow batches in memory to PGCOPY bytes in memory, one thread"

    def __init__(self, options, tables):
        self.options = options
        self.tables = tables  # its server says what the bytes have to be
        # Both encoders write here what they made, by a second pass after the timed one.
        self.out = options.work / "encoded.pgcopy"
        self.canonical = {}  # workload -> sha256 of the server's own COPY TO
        self.accepted = {}  # (workload, sha256) -> proof of bytes that differ from it

    def arms(self):
        options, out = self.options, self.out
        return [
            Arm("headrace", "headrace encoder", ours=True,
                commands=lambda w, source: [[options.bench_encode, source, "--pgcopy", out]]),
            Arm("pgpq", "pgpq write_batch",
                commands=lambda w, source: peer(options, "encode_pgpq.py", source, "--pgcopy", out)),
        ]

    def prepare(self, workload, _arms):
        self.tables.prepare(workload, parts=(1,))
        self.canonical[workload.name] = digest(workload.prepared(".pgcopy"))

    def reset(self, _workload):
        self.out.unlink(missing_ok=True)

    def prove(self, workload, _arm, measured, _seen):
        said, rows = parsed(measured.stdout), workload.facts()["rows"]
        if not said or not KEYS <= said.keys():
            return wrong("printed no JSON object with " + ", ".join(sorted(KEYS)))
        if not self.out.is_file():
            return wrong("wrote no bytes to prove")
        size = self.out.stat().st_size
        if said["rows"] != rows or said["bytes"] != size:
            return wrong(f"{said['rows']} rows in {said['bytes']} bytes, not {rows} rows in {size} bytes")
        sha256 = digest(self.out)
        if sha256 == self.canonical[workload.name]:
            proof = {"ok": True, "forms": {"bytes": "as the server's own COPY TO"}}
        else:
            proof = self.prove_by_loading(workload, sha256)
        return dict(proof, output_bytes=size, sha256=sha256)

    def prove_by_loading(self, workload, sha256):
        """Other bytes may mean the same rows (a numeric has several forms): the server says so, once per digest."""
        key = (workload.name, sha256)
        if key not in self.accepted:
            try:
                self.tables.reset(workload)
                self.tables.server.sql(f"\\copy {workload.table} from {quoted(self.out)} binary")
                proof = self.tables.prove(workload)
            except BenchError as error:
                proof = wrong(str(error).replace("\n", " "))
            self.accepted[key] = dict(proof, forms={"bytes": "not as the server's COPY TO, but the same rows"})
        return self.accepted[key]

    def settings(self):
        return {"clock": "the seconds each encoder reports; reading the file and writing the bytes are outside"}

    def close(self):
        self.out.unlink(missing_ok=True)
