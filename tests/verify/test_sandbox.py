"""The candidate's process cannot write, talk to the network or signal its parent, with bubblewrap and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from spak.effects.run import Limits
from spak.effects.sandbox import wrap
from spak.effects.service import Service
from support import ROOT

PROBE = """
import json, os, socket, sys
from spak.effects.sandbox import confine
held = confine(inside_bubblewrap="--bubblewrap" in sys.argv)
def tries(what):
    try:
        what()
        return "did it"
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "held": held,
    "write": tries(lambda: open(sys.argv[1] + "/out", "w")),
    "network": tries(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=2)),
    "signal": tries(lambda: os.kill(int(sys.argv[3]), 0)),
    "read": tries(lambda: open(os.__file__)),
}))
"""


@pytest.mark.parametrize("bubblewrap", [True, False])
def test_what_the_sandbox_forbids(bubblewrap: bool, tmp_path: Path) -> None:
    import json
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    argv = [sys.executable, "-c", PROBE, str(tmp_path), str(listener.getsockname()[1]), str(os.getpid())]
    inside = False
    if bubblewrap:
        argv, inside = wrap(argv, readable=[str(tmp_path), str(ROOT)])
        if not inside:
            pytest.skip("bubblewrap is not usable here")
        argv.append("--bubblewrap")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "compiler")}
    found = json.loads(subprocess.run(argv, env=env, capture_output=True, check=True).stdout)
    listener.close()
    assert found["read"] == "did it"
    assert "rlimits" in found["held"]
    if "landlock" in found["held"] or inside:
        assert found["write"] != "did it"
        assert found["signal"] != "did it"
    if "network" in found["held"] or inside:
        assert found["network"] != "did it"


ECHO = """
import json, os, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    if job.get("die"): os.kill(os.getpid(), 11)
    if job.get("sleep"): time.sleep(60)
    if job.get("spin"):
        while True: pass
    if job.get("flood"): print("x" * (2 << 20), flush=True)
    print(job.get("say", json.dumps(job)), flush=True)
"""


def service() -> Service:
    return Service(
        [sys.executable, "-c", ECHO], env=dict(os.environ), limits=Limits(wall_seconds=0, output_bytes=1 << 20)
    )


def test_a_service_answers_dies_and_hangs_as_values() -> None:
    with service() as one:
        assert one.hello(wall_seconds=300, cpu_seconds=300).data == {"ready": True}
        assert one.call({"a": 1}, wall_seconds=300, cpu_seconds=300).data == {"a": 1}
        answer = one.call({"die": True}, wall_seconds=300, cpu_seconds=300)
        assert (answer.state, answer.how) == ("died", "signal SIGSEGV")
        assert one.call({"a": 1}, wall_seconds=300, cpu_seconds=300).state == "died"


@pytest.mark.parametrize(
    "job, wall, cpu, how",
    [
        ({"sleep": True}, 0.5, 20, "did not return"),
        ({"spin": True}, 60, 0.5, "did not return"),
        ({"flood": True}, 60, 20, "flooded"),
        ({"say": "{"}, 60, 20, "wrote on the pipe"),
    ],
)
def test_a_service_that_misbehaves_is_stopped(job: dict[str, object], wall: float, cpu: float, how: str) -> None:
    with service() as one:
        one.hello(wall_seconds=300, cpu_seconds=300)
        answer = one.call(job, wall_seconds=wall, cpu_seconds=cpu)
        assert (answer.state, how in answer.how) == ("hung", True), answer
