"""Load a built kernel module by its path. Knows nothing of manifests, of units or of what is inside; stdlib only.

Several variants of a unit have modules of one name: each is loaded from its own file and none enters `sys.modules`.
"""

from __future__ import annotations

import importlib.util
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

_NO_ROOM = (
    "the C library sets room aside for the simulator's variables of about eleven modules a process; "
    "start the process with GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384 in its environment for a hundred more"
)


def load_module(path: str, name: str | None = None) -> ModuleType:
    """The module in a `.so`; `name` is what its init function is called after, by default the file's stem.

    Raises ImportError that names the file when it is missing, was built for another Python, or is one simulated kernel
    more than the C library has room for in one process.
    """
    file = Path(path)
    name = name or file.name.split(".")[0]
    if not file.is_file():
        raise ImportError(f"no kernel module at {path}", name=name, path=str(path))
    loader = ExtensionFileLoader(name, str(file.resolve()))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    try:
        module = importlib.util.module_from_spec(spec)
    except ImportError as error:
        if "static TLS" not in str(error):
            raise
        raise ImportError(f"{error}\n{_NO_ROOM}", name=name, path=str(path)) from None
    loader.exec_module(module)
    return module
