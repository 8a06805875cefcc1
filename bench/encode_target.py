"""Encoding alone: batches in memory to PGCOPY bytes in memory, one thread, no server in the clock."""
import hashlib

from arms import Arm, peer
from postgres_target import quoted
from reports import parsed
from shell import BenchError, run

KEYS = {"rows", "seconds", "bytes", "cpu_seconds", "sha256"}


class EncodeTarget:
    name = "encode"
    title = "Encoding alone: Arrow batches in memory to PGCOPY bytes in memory, one thread"

    def __init__(self, options, postgres):
        self.options = options
        self.postgres = postgres  # its server says what the bytes have to be
        self.canonical = {}  # workload -> sha256 of the server's own COPY TO
        self.accepted = {}  # (workload, sha256) -> proof of bytes that differ from it

    def arms(self):
        options = self.options
        return [
            Arm("headrace", "headrace encoder", ours=True, commands=lambda w, source: [[options.bench_encode, source]]),
            Arm("pgpq", "pgpq write_batch", commands=lambda w, source: peer(options, "encode_pgpq.py", source)),
        ]

    def prepare(self, workload, _arms):
        self.postgres.prepare(workload, [])
        with open(workload.prepared(".pgcopy"), "rb") as file:
            self.canonical[workload.name] = hashlib.file_digest(file, "sha256").hexdigest()

    def reset(self, _workload):
        pass

    def finish(self, _arm):
        return None

    def prove(self, workload, arm, measured):
        said = parsed(measured.stdout)
        if not said or not KEYS <= said.keys():
            return {"ok": False, "differences": ["printed no JSON object with " + ", ".join(sorted(KEYS))]}
        rows = workload.facts()["rows"]
        if said["rows"] != rows:
            return {"ok": False, "differences": [f"{said['rows']} rows, not {rows}"]}
        told = {"output_bytes": said["bytes"], "sha256": said["sha256"]}
        if said["sha256"] == self.canonical[workload.name]:
            return {"ok": True, "forms": {"bytes": "as the server's own COPY TO"}, **told}
        return {**self.prove_by_loading(workload, arm, said["sha256"]), **told}

    def prove_by_loading(self, workload, arm, sha256):
        """Other bytes may mean the same rows (a numeric has several forms): the server says so, once per digest."""
        key = (workload.name, sha256)
        if key not in self.accepted:
            self.accepted[key] = self.load_bytes(workload, arm, sha256)
        return self.accepted[key]

    def load_bytes(self, workload, arm, sha256):
        out = self.options.work / "encoded.pgcopy"
        server = self.postgres.ensure_server()
        try:
            run([*arm.commands(workload, workload.source)[0], out])
            with open(out, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    return {"ok": False, "differences": ["a second run gave other bytes"]}
            self.postgres.reset(workload)
            server.sql(f"\\copy {workload.table} from {quoted(out)} binary")
            proof = self.postgres.prove_table(workload)
        except (BenchError, OSError) as error:
            return {"ok": False, "differences": [str(error).replace("\n", " ")]}
        finally:
            out.unlink(missing_ok=True)
        return dict(proof, forms={"bytes": "other than the server's COPY TO, but the same rows once loaded"})

    def environment(self):
        return None

    def server_cpu(self):
        return None

    def settings(self):
        return {"clock": "the seconds each encoder reports; reading the file and hashing are outside"}

    def close(self):
        pass
