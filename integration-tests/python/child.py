"""A program that runs beside the tests."""

import contextlib
import subprocess
import threading
from collections import deque


@contextlib.contextmanager
def child(name, command, ready, patience):
    """Runs a program until the end of the block, which begins with the line of it that says that it is ready.

    It is told to end, and must end with 0 within so many seconds. When anything fails, what it said last is printed.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    last = deque(maxlen=60)
    reader = None
    try:
        _await_ready(name, process, ready, last)
        # What it says from here on is read as well, so that it never waits for a reader.
        reader = threading.Thread(target=lambda: last.extend(process.stdout), daemon=True)
        reader.start()
        yield
    except BaseException:
        print("\n".join(line.rstrip("\n") for line in last))
        raise
    finally:
        process.terminate()
        code = process.wait(timeout=patience)
        if reader:
            reader.join()
        process.stdout.close()
    assert code == 0, f"{name} ended with {code}"


def _await_ready(name, process, ready, last):
    for line in process.stdout:
        last.append(line)
        if ready in line:
            return
    raise RuntimeError(f"{name} did not start; it ended with {process.wait()}")
