"""The nursery: forks a worker for each job from a process that has the models loaded. Knows nothing of the graph.

Starting Python and importing the models takes 150 ms, forking takes two. The nursery has one thread, so forking is
safe; it dies with the build (PR_SET_PDEATHSIG) and the workers die with it. `python -m spak.pipeline.execution.nursery FD`
speaks over one end of a socket pair:

    build -> nursery   one byte with three descriptors: the job's own socket, its stdin and its stderr
    nursery -> build   on the job's socket: the worker's PID, then its wait status, both as 8 bytes

stdin, stdout and stderr of a worker are memory files: a job's descriptor holds its request, and takes its answer.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import Any

from spak.pipeline.execution.worker import module_name, perform

PRELOADED = ("spak.effects",)  # what every worker needs; what a stage needs comes with the first of its jobs
PR_SET_PDEATHSIG = 1
PRCTL = ctypes.CDLL(None).prctl


def main(handle: int) -> None:
    """Serve until the build's end of the socket is closed."""
    parent = os.getppid()
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for name in PRELOADED:
        importlib.import_module(name)
    gc.disable()
    gc.freeze()  # a collection in a worker would copy every page that it shares with us
    control = socket.socket(fileno=handle)
    jobs: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(jobs)
        if control.fileno() in ready:
            _, fds, _, _ = socket.recv_fds(control, 1, 3, socket.MSG_CMSG_CLOEXEC)
            if len(fds) != 3:
                return
            _start(fds, jobs, control, woken, wake)


def _start(fds: list[int], jobs: dict[int, socket.socket], control: socket.socket, *pipes: int) -> None:
    job = socket.socket(fileno=fds[0])
    _preload(os.pread(fds[1], os.fstat(fds[1]).st_size, 0))
    mine = os.getpid()
    pid = os.fork()
    if pid == 0:
        for one in (control, job, *jobs.values()):
            one.close()
        for pipe in pipes:
            os.close(pipe)
        _work(fds[1], fds[2], mine)
    os.setpgid(pid, pid)  # here and in the child: whoever comes first, the PID names a group once it is told
    os.close(fds[1])
    os.close(fds[2])
    jobs[pid] = job
    _tell(job, pid)


def _preload(request: bytes) -> None:
    """Import the stage's package here, once: its Options take longer to define than most stages to start. What is wrong
    with it is
    the worker's to say.
    """
    try:
        _ = importlib.import_module(module_name(json.loads(request)["stage"])).Options
    except Exception:
        return


def _reap(jobs: dict[int, socket.socket]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        job = jobs.pop(pid, None)
        if job is not None:
            _tell(job, status)
            job.close()


def _tell(job: socket.socket, number: int) -> None:
    try:
        job.sendall(number.to_bytes(8, "little"))
    except OSError:
        return  # the build has given the job up


def _work(request: int, errors: int, parent: int) -> None:
    """The worker's life: it never returns."""
    status = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        die_with(parent)
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(errors, 1)
        os.dup2(errors, 2)
        with open(request, "r+b") as file:
            job = json.loads(file.read())
            _confine(job)
            status, answer = perform(job)
            sys.stdout.flush()
            file.seek(0)
            file.truncate()
            file.write(json.dumps(answer, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass"))
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 70
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _confine(job: dict[str, Any]) -> None:
    os.chdir(job["cwd"])
    os.environ.update(job.get("env", {}))
    limits = job.get("limits", {})
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.get("memory"):
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, and make sure that it has not died already."""
    PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(70)


if __name__ == "__main__":
    main(int(sys.argv[1]))
