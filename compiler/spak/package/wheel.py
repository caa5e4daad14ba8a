"""The kernels wheel: the dispatched modules of every unit, byte-identical for identical input. Knows no compiler.

The version is `1.<sum of the specs' versions>+<content digest>`: a spec's new version moves it forward, and two wheels with the
same version hold the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from spak.effects import Do
from spak.model.base import Model, canonical_json
from spak.model.outcome import Outcome
from spak.store import atomic

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: archives carry no clock
#: What finds and loads the modules of a wheel, carried in it verbatim.
LOADER = tuple(Path(__file__).parent.parent / "runtime" / name for name in ("devices.py", "loader.py", "module.py"))

INIT = '''"""Verified kernels. `load(name)` gives a callable; the manifests beside this file say what each was checked for."""

from ._runtime.loader import load

__all__ = ["load"]
__version__ = "{version}"
'''


class Options(Model):
    """`manifests` of the artifacts to ship; the wheel goes to `folder`, and `record` says which file it was."""

    package: str
    manifests: tuple[str, ...]
    folder: str
    record: str


def run(options: Options, do: Do) -> Outcome:
    """Write `folder/<package>-<version>-<tags>.whl` and the record."""
    files = contents(options)
    versions = {m["unit"]: m["spec_version"] for m in map(read, options.manifests)}
    version = f"1.{sum(versions.values())}+{content_digest(files)[:12]}"
    files[f"{options.package}/__init__.py"] = INIT.format(version=version).encode()
    info = f"{options.package}-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata(options.package, version)
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: spak\nRoot-Is-Purelib: false\nTag: {tag()}\n".encode()
    files[f"{info}/RECORD"] = record(files, info)
    name = f"{options.package}-{version}-{tag()}.whl"
    data = archive(files)
    made = f"{options.folder}/{name}"
    atomic.write(made, data)
    summary = {"wheel": name, "version": version, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    atomic.write(options.record, canonical_json(summary))
    return Outcome(summary=summary, outputs=(made,))


def read(manifest: str) -> Any:
    return json.loads(Path(manifest).read_bytes())


def contents(options: Options) -> dict[str, bytes]:
    """Archive name -> bytes: the runtime, one manifest a unit and target, and the module that it dispatches to."""
    files = {f"{options.package}/{name}": data for name, data in loader_files().items()}
    for path in sorted(options.manifests):
        manifest = read(path)
        shipped = [k for k in manifest["kernels"] if k["dispatched"]]
        kept = {k["variant"]: manifest["provenance"][k["variant"]] for k in shipped}
        files[f"{options.package}/{Path(path).name}"] = canonical_json(
            {**manifest, "kernels": shipped, "provenance": kept}
        )
        for kernel in shipped:
            files[f"{options.package}/{kernel['path']}"] = (Path(path).parent / kernel["path"]).read_bytes()
    return files


def loader_files() -> dict[str, bytes]:
    """The files of a kernels package that find and load its modules, by their names in it."""
    files = {f"_runtime/{path.name}": path.read_bytes() for path in LOADER}
    return {**files, "_runtime/__init__.py": b'"""Finds and loads the modules of this package."""\n'}


def content_digest(files: dict[str, bytes]) -> str:
    """One digest over every name and content."""
    hasher = hashlib.sha256()
    for name in sorted(files):
        hasher.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return hasher.hexdigest()


def metadata(package: str, version: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {package}", f"Version: {version}"]
    lines += [
        "Summary: Kernels compiled from specs, each with the evidence that it is right",
        "Requires-Dist: numpy>=2.0",
    ]
    lines += [f"Requires-Python: =={sys.version_info.major}.{sys.version_info.minor}.*", ""]
    return "\n".join(lines).encode()


def tag() -> str:
    """The wheel's tag: modules are built for this interpreter and platform."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def record(files: dict[str, bytes], info: str) -> bytes:
    """The RECORD file: every name with its digest and size, as the wheel format asks."""
    rows = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(files[name])}")
    return ("\n".join([*rows, f"{info}/RECORD,,"]) + "\n").encode()


def archive(files: dict[str, bytes]) -> bytes:
    """A zip with sorted names, fixed times and modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, files[name])
    return buffer.getvalue()
