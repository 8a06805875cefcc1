"""A toxiproxy in front of the test server: https://github.com/Shopify/toxiproxy, built by scripts/fetch_toxiproxy.sh."""
import contextlib
import json
import pathlib
import socket
import subprocess
import time
import urllib.request

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "fetch_toxiproxy.sh"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    """Listens on 127.0.0.1:`port` and passes all on to the server."""

    def __init__(self, api, upstream_port):
        self.api, self.port = api, free_port()
        self._call("POST", "/proxies", name="pg", listen=f"127.0.0.1:{self.port}", upstream=f"127.0.0.1:{upstream_port}")

    def _call(self, verb, path, **body):
        data = json.dumps(body).encode() if body else b""
        request = urllib.request.Request(self.api + path, data=data, method=verb)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def cut(self, seconds):
        """Ends all connections, and refuses new ones for a while."""
        self._call("POST", "/proxies/pg", enabled=False)
        time.sleep(seconds)
        self._call("POST", "/proxies/pg", enabled=True)

    def add(self, kind, stream="upstream", **attributes):
        self._call("POST", "/proxies/pg/toxics", name="fault", type=kind, stream=stream, attributes=attributes)

    def heal(self):
        self._call("POST", "/reset")


@contextlib.contextmanager
def toxiproxy(upstream_port):
    program = subprocess.run([SCRIPT], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    port = free_port()
    server = subprocess.Popen([program, "-host", "127.0.0.1", "-port", str(port)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                proxy = Proxy(f"http://127.0.0.1:{port}", upstream_port)
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, "toxiproxy does not answer"
                time.sleep(0.05)
        yield proxy
    finally:
        server.terminate()
        server.wait(10)
