# ruff: noqa: E501 -- sources and messages stay in one line
"""What the build stage makes of a job: bytes, evidence, findings, errors."""

from __future__ import annotations

import json
import resource
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forge import ROOT, Forge
from pace import within
from samples import SAMPLES
from spak.build import elf
from spak.errors import Diagnostic, SpakError


def said(outcome: Any) -> list[str]:
    return [str(Diagnostic.from_json(d)) for d in outcome.diagnostics]


@pytest.mark.parametrize("target", ["cpu", "sim", "sm_90a"])
def test_two_folders_give_the_same_bytes(forge: Forge, tmp_path: Path, target: str) -> None:
    if target.startswith("sm_"):
        pytest.importorskip("nvidia", reason="NVRTC")
    one = SAMPLES["moments"]
    source, plan = (one.cpp, one.cpp_plan) if target == "cpu" else (one.cuda, one.cuda_plan)
    images = []
    for folder in ("here", "a/rather/longer/path"):
        outcome, options = forge.build(one.interface, source, plan, target, folder=tmp_path / folder)
        assert outcome.ok, said(outcome)
        images.append(Path(options.out).read_bytes())
    assert images[0] == images[1]
    assert str(tmp_path).encode() not in images[0] and str(ROOT).encode() not in images[0]


def test_a_kernel_builds_in_a_fraction_of_what_is_allowed(forge: Forge, tmp_path: Path) -> None:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    one = SAMPLES["matmul"]
    forge.runtimes("cpu")
    folders = (tmp_path / str(number) for number in count())

    def build() -> None:
        outcome, _ = forge.build(one.interface, one.cpp, one.cpp_plan, folder=next(folders))
        assert outcome.ok

    assert within(15, build, used)


def test_the_evidence_says_what_was_checked(forge: Forge, tmp_path: Path) -> None:
    one = SAMPLES["fill"]
    _, options = forge.build(one.interface, one.cpp, one.cpp_plan, folder=tmp_path)
    text = Path(options.evidence).read_text()
    evidence = json.loads(text)
    assert evidence["verdict"] == "passed"
    assert [c["name"] for c in evidence["checks"]] == ["compile", "symbols of the device code", "symbols of the module"]
    assert evidence["environment"]["compiler"].startswith("g++ ")
    assert evidence["environment"]["arch"] == "x86-64-v3"
    assert evidence["subject"].keys() == {"interface", "source", "plan", "target", "runtime", "module"}
    assert str(tmp_path) not in text


def test_the_module_exports_its_init_function_alone(forge: Forge, tmp_path: Path) -> None:
    one = SAMPLES["matmul"]
    _, options = forge.build(one.interface, one.cpp, one.cpp_plan, folder=tmp_path)
    assert elf.read(options.out).defined == ("PyInit_matmul_cpu",)


def test_compile_errors_have_the_models_own_lines(forge: Forge, tmp_path: Path) -> None:
    one = SAMPLES["fill"]
    plan = "[params]\nTILE = 4\n" + one.cpp_plan
    source = 'extern "C" void fill(float* c, long long n, float value) {\n  for (int i = 0; i < TILE; ++i)\n    c[i] = valeu;\n}\n'
    outcome, options = forge.build(one.interface, source, plan, folder=tmp_path)
    assert not outcome.ok
    assert any(
        s.startswith(f"{options.source}:3:12: SPK503: compiler: ‘valeu’ was not declared") for s in said(outcome)
    ), said(outcome)
    assert json.loads(Path(options.evidence).read_text())["verdict"] == "failed"
    assert not Path(options.out).exists()


def test_a_failed_build_takes_the_old_module_away(forge: Forge, tmp_path: Path) -> None:
    one = SAMPLES["fill"]
    _, options = forge.build(one.interface, one.cpp, one.cpp_plan, folder=tmp_path)
    assert Path(options.out).exists()
    forge.build(one.interface, "broken", one.cpp_plan, folder=tmp_path)
    assert not Path(options.out).exists() and not Path(options.manifest).exists()
    assert not list(tmp_path.glob(".work-*"))


def test_many_errors_are_cut_short(forge: Forge, tmp_path: Path) -> None:
    one = SAMPLES["fill"]
    source = (
        'extern "C" void fill(float* c, long long n, float value) {\n'
        + "".join(f"  x{i} = 1;\n" for i in range(60))
        + "}\n"
    )
    outcome, _ = forge.build(one.interface, source, one.cpp_plan, folder=tmp_path)
    lines = said(outcome)
    assert len(lines) == 21 and "more errors of the compiler" in lines[-1]


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ('extern "C" void fill(double* c, long long n, float value) {}', "SPK503", "double*"),
        ('extern "C" int system(const char*);\nextern "C" void fill(float* c, long long, float) { c[0] = system("true"); }', "SPK508", "'system'"),
        ('extern "C" void* dlopen(const char*, int);\nextern "C" void fill(float* c, long long, float) { c[0] = dlopen("x", 1) != nullptr; }', "SPK508", "'dlopen'"),
        ('float other(float);\nextern "C" void fill(float* c, long long, float v) { c[0] = other(v); }', "SPK508", "device code needs '_Z5otherf'"),
        ('extern "C" void* PyEval_SaveThread() { return 0; }\nextern "C" void fill(float*, long long, float) {}', "SPK508", "device code defines 'PyEval_SaveThread'"),
        ('extern "C" void* memcpy(void* a, const void*, unsigned long) { return a; }\nextern "C" void fill(float*, long long, float) {}', "SPK508", "device code defines 'memcpy'"),
        ('extern "C" int PyInit_fill_cpu() { return 0; }\nextern "C" void fill(float*, long long, float) {}', "SPK505", "multiple definition"),
        ('float seven(); float table = seven();\nfloat __attribute__((noinline)) seven() { volatile float x = 7; return x; }\n'
         'extern "C" void fill(float* c, long long, float) { c[0] = table; }', "SPK509", "constructors that run when the module is loaded"),
    ],
    ids=["wrong parameter", "system", "dlopen", "undefined", "usurped", "memcpy", "init", "constructor"],
)  # fmt: skip
def test_device_code_that_is_refused(forge: Forge, tmp_path: Path, source: str, code: str, words: str) -> None:
    one = SAMPLES["fill"]
    outcome, options = forge.build(one.interface, source, one.cpp_plan, folder=tmp_path)
    assert not outcome.ok and not Path(options.out).exists()
    assert any(f" {code}: " in s and words in s for s in said(outcome)), said(outcome)


@pytest.mark.parametrize(
    ("plan", "code", "words"),
    [
        ('[[launch]]\nkernel = "fill"\nargs = ["c", "n", "value"]\nwhen = "q > 1"\n', "SPK510", "unknown name 'q', in `q > 1`"),
        ('[[launch]]\nkernel = "fill"\nargs = ["c", "n", "valeu"]\n', "SPK510", "the plan passes 'valeu', which is no array, number or size of the unit"),
        ('[[launch]]\nkernel = "fill"\nargs = ["c", "n", "value"]\n[[tensor_map]]\nname = "t"\ntensor = "c"\nbox = [1]\n', "SPK513", "tensor map 't'"),
    ],
    ids=["guard", "argument", "tensor map"],
)  # fmt: skip
def test_plans_that_cannot_be_compiled(forge: Forge, tmp_path: Path, plan: str, code: str, words: str) -> None:
    one = SAMPLES["fill"]
    outcome, _ = forge.build(one.interface, one.cpp, plan, folder=tmp_path)
    assert not outcome.ok
    assert any(f"{code}: {words}" in s for s in said(outcome)), said(outcome)


def test_a_plan_that_is_none_raises(forge: Forge, tmp_path: Path) -> None:
    with pytest.raises(SpakError, match="SPK511: not a launch plan"):
        forge.build(SAMPLES["fill"].interface, SAMPLES["fill"].cpp, "[[launch]]\nkernal = 1\n", folder=tmp_path)


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        (None, "SPK501", "the compiler 'my-cc' is not on the PATH"),
        ("#!/bin/sh\necho 9.4.0\n", "SPK502", "'my-cc' is version 9.4.0"),
        ("#!/bin/sh\necho no licence >&2; exit 3\n", "SPK502", "'my-cc' does not say its version: no licence"),
    ],
)
def test_a_compiler_that_will_not_do(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, code: str, words: str
) -> None:
    target = tmp_path / "cpu.toml"
    target.write_text((ROOT / "targets/cpu.toml").read_text().replace('"g++"', '"my-cc"'))
    if program:
        (tmp_path / "my-cc").write_text(program)
        (tmp_path / "my-cc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    one = SAMPLES["fill"]
    with pytest.raises(SpakError) as raised:
        forge.build(one.interface, one.cpp, one.cpp_plan, folder=tmp_path / "m", target_file=str(target))
    assert f"{code}: {words}" in str(raised.value) and "hint:" in str(raised.value)


def test_openmp_only_where_the_spec_allows_it(forge: Forge, tmp_path: Path) -> None:
    one = SAMPLES["fill"]
    source = one.cpp.replace("{ for", "{\n#pragma omp parallel for\nfor")
    _, options = forge.build(one.interface, source, one.cpp_plan, folder=tmp_path / "no")
    assert not any(s.startswith("GOMP") for s in elf.read(options.out).undefined)
    allowed = one.interface.model_copy(update={"openmp": True})
    outcome, options = forge.build(allowed, source, one.cpp_plan, folder=tmp_path / "yes")
    assert outcome.ok, said(outcome)
    assert any(s.startswith("GOMP") for s in elf.read(options.out).undefined)


def test_a_cuda_module_imports_and_refuses_host_arrays(forge: Forge, tmp_path: Path) -> None:
    from spak.runtime.module import load_module
    from spak.runtime.raw import RawTensor

    one = SAMPLES["matmul"]
    outcome, options = forge.build(one.interface, one.cuda, one.cuda_plan, "sm_90a", folder=tmp_path)
    assert outcome.ok, said(outcome)
    matmul = load_module(options.out).matmul
    with pytest.raises(ValueError, match="a is in host memory, but matmul_sm_90a runs on CUDA"):
        matmul(np.ones((2, 2), np.float32), np.ones((2, 2), np.float32))
    with pytest.raises(TypeError, match="stream is of type 'str'"):
        matmul(1, 2, stream="x")
    if not Path("/proc/driver/nvidia").exists():
        a, b, c = (
            RawTensor(64, (2, 2), "f32", device=(2, 0)),
            RawTensor(128, (2, 2), "f32", device=(2, 0)),
            RawTensor(192, (2, 2), "f32", device=(2, 0)),
        )
        with pytest.raises(RuntimeError, match="matmul: this machine has no CUDA driver, which is needed to launch"):
            matmul(a, b, out=c)


def test_simulator_faults_become_errors(forge: Forge, tmp_path: Path) -> None:
    from spak.runtime.module import load_module

    one = SAMPLES["fill"]
    source = 'extern "C" __global__ void fill(float* c, long long n, float value) { if (threadIdx.x) __syncthreads(); c[0] = value; }\n'
    plan = '[[launch]]\nkernel = "fill"\nblock = [64]\nargs = ["c", "n", "value"]\n'
    outcome, options = forge.build(one.interface, source, plan, "sim", folder=tmp_path)
    assert outcome.ok, said(outcome)
    with pytest.raises(RuntimeError, match=r"fill: .*barrier"):
        load_module(options.out).fill(1.0, out=np.zeros(1, np.float32))


def test_no_room_for_the_variables_of_another_module(tmp_path: Path) -> None:
    from spak.runtime.module import load_module

    source, module = tmp_path / "big.c", tmp_path / "big.so"
    source.write_text(
        '__thread char x[40000] __attribute__((tls_model("initial-exec")));\nchar* PyInit_big() { return x; }\n'
    )
    subprocess.run(["gcc", "-shared", "-fPIC", str(source), "-o", str(module)], check=True)
    with pytest.raises(
        ImportError, match=r"(?s)big\.so: .*start the process with GLIBC_TUNABLES=glibc\.rtld\.optional"
    ):
        load_module(str(module))
