"""Which edit re-runs what, exactly, and that `spak plan` says so before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from realproject import Project, braces

pytestmark = pytest.mark.xdist_group("project")

SAXPY = "specs/saxpy/SPEC.saxpy.md"
VECTOR_ADD = "specs/vector_add/SPEC.vector_add.md"


@dataclass(frozen=True)
class Row:
    """An edit and what it re-runs. `unless` is what `plan` cannot tell without compiling: whether a module comes out identical.

    `only` are arguments of the build, to spare the machine what has nothing to do with the edit.
    """

    edit: Callable[[Project], object]
    ran: str
    unless: str = ""
    only: tuple[str, ...] = ()


def touch(project: Project) -> None:
    for path in project.root.glob("specs/**/*.*"):
        path.touch()


def comment(project: Project) -> None:
    project.edit(SAXPY, "  accumulate: f32\n", "  accumulate: f32   // in registers\n\n")


def prose(project: Project) -> None:
    project.edit(SAXPY, "calling it twice", "computing it twice")


def layout(project: Project) -> None:
    project.edit(SAXPY, "  tolerance: { factor: 2 }\n  flops: 2 * N\n", "  flops: 2*N\n  tolerance: {factor: 2}\n")


def tolerance(project: Project) -> None:
    project.edit(SAXPY, "factor: 2", "factor: 1.5")


def vectors(project: Project) -> None:
    project.edit("specs/saxpy/tests.saxpy.yaml", "  - {N: 1027}", "  - {N: 1029}")


def signature(project: Project) -> None:
    project.edit(SAXPY, "alpha: f32 = 1.0", "alpha: f32 = 2.0")
    project.edit("specs/saxpy/tests.saxpy.yaml", "expect: {z: [2, 3, 4]}", "expect: {z: [3, 5, 7]}")


def intent(project: Project) -> None:
    project.edit(VECTOR_ADD, "One plain loop.", "One plain loop, nothing by hand.")


def rule(project: Project) -> None:
    project.edit(
        "specs/domains/gpu_memory.dsl", "every sector that is moved is used whole", "no sector is moved in vain"
    )


def template(project: Project) -> None:
    from spak.codegen.prompt import SHIPPED

    text = (SHIPPED / "request.cuda.md.j2").read_text()
    other = text.replace("Reach every `__syncthreads()`", "Arrive at every `__syncthreads()`")
    project.put("templates/request.cuda.md.j2", other)


def header(project: Project) -> None:
    """What the compiler sees of it changes, and nothing that a kernel here uses."""
    types = project.own_compiler(project.root.parent / "compiler") / "include/spak/cpu/types.h"
    types.write_text(types.read_text() + "\nnamespace spak { constexpr int unused_by_anyone = 1; }\n")


def cuda_header(project: Project) -> None:
    math = project.own_compiler(project.root.parent / "compiler") / "include/spak/cuda/math.h"
    math.write_text(math.read_text() + "\n// a remark\n")


def compiler(project: Project) -> None:
    """The same compiler behind a script: who compiles is another, what comes out is not."""
    script = project.root.parent / "bin/g++"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nexec /usr/bin/g++ "$@"\n')
    script.chmod(0o755)
    project.env["CXX"] = str(script)


def limit(project: Project) -> None:
    project.edit("targets/sm_80.toml", "max_shared_bytes = 166912", "max_shared_bytes = 101376")


def flags(project: Project) -> None:
    project.edit("targets/cpu.toml", '"-O3"', '"-O2"')


def reply(project: Project) -> None:
    """Another reply by way of version control: its files and its entry of the lock, as a colleague has committed them."""
    colleague = project.copy(project.root.parent / "colleague")
    adopt(colleague)
    colleague.build("vector_add")
    for name in ("generated/vector_add/plain/cpp/kernel.cpp", "generated/vector_add/plain/cpp/reply.md", "spak.lock"):
        project.put(name, colleague.path(name).read_text())


def adopt(project: Project) -> None:
    project.edit("generated/vector_add/plain/cpp/kernel.cpp", "c[i] = a[i] + b[i];", "c[i] = b[i] + a[i];")
    project.spak("adopt", "vector_add.plain.cpp")


REQUESTED = "request:saxpy.flat.{cpp,cuda} codegen:saxpy.flat.{cpp,cuda}"
JUDGED = "verify:saxpy.flat@{cpu,sim} artifact:saxpy@{cpu,sim,sm_80}"
PLAIN_AGAIN = "{check,compile,verify}:vector_add.plain@cpu artifact:vector_add@cpu"

TABLE = {
    "nothing": Row(lambda project: None, ""),
    "touched files": Row(touch, ""),
    "comment": Row(comment, "parse:saxpy"),
    "layout and order": Row(layout, "parse:saxpy"),
    "prose": Row(prose, f"parse:saxpy {REQUESTED} {JUDGED}"),
    "tolerance": Row(tolerance, f"parse:saxpy {REQUESTED} {JUDGED}"),
    "test shapes": Row(vectors, f"parse:saxpy {REQUESTED} {JUDGED}"),
    "signature": Row(signature, f"parse:saxpy {REQUESTED} {{check,compile}}:saxpy.flat@{{cpu,sim,sm_80}} {JUDGED}"),
    "variant intent": Row(
        intent,
        "parse:vector_add request:vector_add.{flat.cpp,flat.cuda,plain.cpp} codegen:vector_add.{flat.cpp,flat.cuda,plain.cpp}"
        " verify:vector_add.plain@cpu artifact:vector_add@cpu",
    ),
    "rule of a domain": Row(rule, f"parse:saxpy {REQUESTED} {JUDGED}"),
    "request template": Row(
        template,
        "{request,codegen}:{saxpy.flat,vector_add.flat}.{cpp,cuda} {request,codegen}:vector_add.plain.cpp"
        " verify:{saxpy,vector_add}.flat@sim artifact:{saxpy,vector_add}@{sim,sm_80}",
    ),
    "device header": Row(
        header,
        "request:{saxpy,vector_add}.flat.cpp request:vector_add.plain.cpp compile:saxpy.flat@{cpu,sm_80}"
        " compile:vector_add.{flat@cpu,flat@sm_80,plain@cpu}",
        unless="verify:saxpy.flat@cpu verify:vector_add.{flat,plain}@cpu artifact:{saxpy,vector_add}@{cpu,sm_80}",
    ),
    "CUDA header": Row(
        cuda_header,
        "request:{saxpy,vector_add}.flat.cuda compile:{saxpy,vector_add}.flat@{sim,sm_80}",
        unless="verify:{saxpy,vector_add}.flat@sim artifact:{saxpy,vector_add}@{sim,sm_80}",
    ),
    "compiler": Row(
        compiler,
        "runtime:host-g++ compile:vector_add.{flat,plain}@cpu",
        unless="verify:vector_add.{flat,plain}@cpu artifact:vector_add@cpu",
        only=("vector_add", "--targets", "cpu"),
    ),
    "target limit": Row(
        limit,
        "target:sm_80 {request,codegen}:{saxpy,vector_add}.flat.cuda {check,compile}:{saxpy,vector_add}.flat@sm_80"
        " verify:{saxpy,vector_add}.flat@sim artifact:{saxpy,vector_add}@{sim,sm_80}",
    ),
    "target flags": Row(
        flags,
        "target:cpu {request,codegen}:vector_add.{flat,plain}.cpp {check,compile,verify}:vector_add.{flat,plain}@cpu"
        " artifact:vector_add@cpu",
        only=("vector_add", "--targets", "cpu"),
    ),
    "another locked reply": Row(reply, f"codegen:vector_add.plain.cpp {PLAIN_AGAIN}"),
    "adopted edit": Row(adopt, f"codegen:vector_add.plain.cpp {PLAIN_AGAIN}"),
}


@pytest.mark.parametrize("name", TABLE)
def test_edit(project: Project, name: str) -> None:
    row = TABLE[name]
    row.edit(project)
    planned = project.plan(*row.only)
    built = project.build(*row.only)
    expected = braces(row.ran)
    assert built.ran == expected
    assert set(built.answers.values()) <= {"replayed", "kept", "adopted"}
    assert not list(project.root.glob(".spak/pending/*"))
    assert (planned.certain, planned.unless) == (expected - braces(row.unless), braces(row.unless))
    assert planned.code == (2 if expected else 0)
    again = project.build(*row.only)
    assert not again.ran and not again.having("restored")


def test_compiler_elsewhere(project: Project) -> None:
    """The same compiler in another folder is the same compiler: the rows that edit a copy of it rest on that."""
    project.own_compiler(project.root.parent / "compiler")
    assert not project.build().ran
