"""Small things every module needs: saying, failing, running a command outside the clock."""
import subprocess
import sys


class BenchError(Exception):
    """The benchmark cannot go on; the message tells the user why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, env=None, stdin=None, stdout=subprocess.PIPE):
    """Output of a command that has to succeed."""
    done = subprocess.run([str(part) for part in command], env=env, input=stdin, stdout=stdout,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-5:]
        raise BenchError(f"{' '.join(str(part) for part in command[:3])} ... failed:\n  " + "\n  ".join(last))
    return (done.stdout or "").strip()


def warm(paths):
    """Reads files once, so that every arm finds its input in the page cache."""
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(8 << 20):
                pass
