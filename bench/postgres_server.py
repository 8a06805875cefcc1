"""The PostgreSQL server of the benchmark: durable, large enough, and the same for every arm."""
import os
import secrets
from urllib.parse import parse_qs, urlsplit, urlunsplit

from processes import children_cpu, process_times
from shell import run

# What a careful owner of a real server would set. Nothing here gives up durability. Background work that would hit
# some arms and not others (autovacuum, timed checkpoints) is out of the way.
SETTINGS = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_level": "replica",
    "wal_sync_method": "fdatasync", "wal_buffers": "16MB", "wal_compression": "off",
    "max_wal_size": "16GB", "min_wal_size": "80MB",
    "checkpoint_timeout": "30min", "checkpoint_completion_target": "0.9",
    "autovacuum": "off", "work_mem": "4MB", "maintenance_work_mem": "64MB", "max_connections": "50", "jit": "on",
    "max_parallel_workers_per_gather": "2", "TimeZone": "UTC",
    # A scan that starts in the middle would change the order of the prepared files.
    "synchronize_seqscans": "off",
}
DATABASE = ROLE = "bench"


class Server:
    def __init__(self, script, directory, shared_buffers):
        self.script, self.directory = script, directory
        self.wanted = dict(SETTINGS, shared_buffers=shared_buffers)
        self.postmaster = None

    def start(self):
        # A server that an aborted run left behind may have other settings.
        self.stop()
        lines = "\n".join(f"{name} = '{value}'" for name, value in self.wanted.items())
        uri = run([self.script, "start", self.directory], env=dict(os.environ, HEADRACE_PG_CONF=lines)).splitlines()[-1]
        parts = urlsplit(uri)
        self.admin_uri = uri
        self.postmaster = int(self.sql("SELECT pg_read_file('postmaster.pid')").splitlines()[0])
        # The password stays out of every command line: all clients here are libpq, which reads the environment.
        password = secrets.token_hex(16)
        exists = self.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}'") == "1"
        self.sql(f"{'ALTER' if exists else 'CREATE'} ROLE {ROLE} LOGIN PASSWORD '{password}'")
        if self.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'") == "0":
            self.sql(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        self.admin_uri = urlunsplit(parts._replace(path=f"/{DATABASE}"))
        port = parse_qs(parts.query)["port"][0]
        self.uri = f"postgresql://{ROLE}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        self.env["PGPASSWORD"] = password

    def stop(self):
        run([self.script, "stop", self.directory])
        self.postmaster = None

    def sql(self, text):
        """Runs SQL as the superuser; returns rows as lines, columns split by |."""
        return run(["psql", self.admin_uri, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-"], stdin=text)

    def cpu_seconds(self):
        """CPU of all server processes so far, those that have ended included."""
        while True:
            _, own, ended = process_times(self.postmaster)
            running = children_cpu(self.postmaster)
            # A backend that ended between the two looks would be in neither.
            if process_times(self.postmaster)[2] == ended:
                return own + ended + running

    def settings(self):
        names = ", ".join(f"'{name}'" for name in (*self.wanted, "server_version", "lc_collate"))
        rows = self.sql(f"SELECT name, current_setting(name) FROM pg_settings WHERE name IN ({names}) ORDER BY 1")
        return dict(row.split("|", 1) for row in rows.splitlines())
