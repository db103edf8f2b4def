"""Holds the running pair against its own description: schemathesis sends what it allows, and what it does not.

    python fuzz.py [FURTHER ARGUMENTS OF schemathesis run]

Ends with 0 when no answer was a 5xx and every answer is as the description says.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import examples_test
import pair as local

HERE = pathlib.Path(__file__).resolve().parent
SEED = os.environ.get("SOLITUDE_SEED", "20141122")


def main():
    print(f"fuzz: the seed is {SEED} (SOLITUDE_SEED)", flush=True)
    with local.running() as pair, tempfile.TemporaryDirectory(prefix="solitude-fuzz-") as folder:
        # So that there is something behind the first keys of each kind.
        failed = examples_test.play(pair)
        if failed:
            sys.exit("fuzz: the examples do not work:\n" + "\n".join(failed))
        environment = dict(
            os.environ,
            SCHEMATHESIS_HOOKS="signing",
            PYTHONPATH=str(HERE),
            SOLITUDE_KEY=pair.key,
            SOLITUDE_SECRET=pair.secret,
        )
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml"),
            *("run", f"{pair.db_server}/openapi.json", "--seed", SEED, *sys.argv[1:]),
        ]
        return subprocess.run(command, cwd=folder, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
