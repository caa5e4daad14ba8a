"""A signature in words: as the spec writes it, as Python writes it, and as documentation. Knows nothing of C++."""

from __future__ import annotations

from spak.model.ir import Interface, Scalar, Tensor
from spak.model.target import Target


def tensor_words(tensor: Tensor) -> str:
    """`f32[M, K]`, `f32[M, K] col`, `f32[M, K] strides(ld, 1)`."""
    words = f"{tensor.dtype}[{', '.join(tensor.shape)}]"
    if tensor.layout == "strided":
        return f"{words} strides({', '.join(tensor.strides)})"
    return words if tensor.layout == "row" else f"{words} {tensor.layout}"


def signature(interface: Interface) -> str:
    """`matmul(a: f32[M, K], alpha: f32 = 1.0) -> c: f32[M, N]`: the spec's own line."""
    params = []
    for param in interface.signature.params:
        if isinstance(param, Tensor):
            params.append(f"{param.name}: {tensor_words(param)}")
        else:
            default = "" if param.default is None else f" = {_default(param)}"
            params.append(f"{param.name}: {param.dtype}{default}")
    results = [f"{r.name}: {tensor_words(r)}" for r in interface.signature.results]
    shown = results[0] if len(results) == 1 else f"({', '.join(results)})"
    return f"{interface.name}({', '.join(params)}) -> {shown}"


def docstring(interface: Interface, target: Target) -> str:
    """What `help()` shows, after the line from which Python takes the text signature."""
    names = [p.name + _suffix(p) for p in interface.signature.params]
    # A keyword-only marker, then what every kernel takes beside its parameters.
    own = ["*", "out=None", *(["stream=None"] if target.device == "cuda" else [])]
    lines = [f"{interface.name}({', '.join([*names, *own])})", "--", "", interface.summary or interface.name, ""]
    lines += [signature(interface), ""]
    lines += [f"requires {require.words}" for require in interface.require]
    many = len(interface.signature.results) > 1
    lines.append(
        f"out= takes the {'tuple of results' if many else 'result'}; without it, it is allocated in the inputs' framework."
    )
    if target.device == "cuda":
        lines.append("stream= takes a CUDA stream: a number, or an object of torch, CuPy or cuda.core.")
    return "\n".join(lines)


def _default(param: Scalar) -> str:
    return repr(param.default) if not isinstance(param.default, bool) else str(param.default).lower()


def _suffix(param: Tensor | Scalar) -> str:
    if isinstance(param, Tensor) or param.default is None:
        return ""
    return f"={param.default!r}"
