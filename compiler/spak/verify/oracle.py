"""The oracle's process: evaluates a spec's reference in fp64 and traces what honest rounding may do to it.

Run as `python -m spak.verify.oracle FD`: reads one JSON job a line, finds inputs and leaves results in the shared
memory file FD. It runs after the candidate, which has no way to this file. Knows nothing of the candidate or of
verdicts.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import mmap
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from spak.effects.sandbox import confine
from spak.verify.dtypes import Array, from_f64, to_f64
from spak.verify.trace import Traced, Untraceable, arithmetic

#: Names besides NumPy that an expression may use.
BUILTINS = {"abs": abs, "min": min, "max": max, "len": len, "range": range, "float": float, "int": int, "sum": sum}


class BadReference(Exception):
    """The reference itself is wrong: its message goes to the spec's owner."""


def load_reference(job: dict[str, Any]) -> Callable[..., Any]:
    """The reference as a function of the parameters in call order. Raises BadReference."""
    if job["kind"] == "python":
        return _from_file(job["file"], job["function"])
    names = [param["name"] for param in job["params"]]
    try:
        tree = ast.parse(job["expr"], mode="eval")
    except SyntaxError as error:
        raise BadReference(f"the reference is not an expression: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise BadReference(f"the reference may not use {node.attr}")
        if isinstance(node, ast.Name) and node.id not in {*names, *job["axes"], "np", *BUILTINS, *_bound(tree)}:
            raise BadReference(f"the reference uses {node.id}, which is not a parameter")
    code = compile(tree, "<reference>", "eval")
    # NumPy's own C code imports through the caller's builtins; the expression cannot name __import__, as checked above.
    scope = {"__builtins__": {**BUILTINS, "__import__": __import__}, "np": np, **job["axes"]}
    return lambda *values: eval(code, {**scope, **dict(zip(names, values, strict=True))})


def _bound(tree: ast.AST) -> set[str]:
    """Names that comprehensions and lambdas of the expression introduce."""
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


def _from_file(path: str, name: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location("reference", path)
    if spec is None or spec.loader is None:
        raise BadReference(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)  # type: ignore[no-any-return]
    except AttributeError:
        raise BadReference(f"{path} has no function {name}") from None
    except Exception as error:
        raise BadReference(f"{path} cannot be loaded: {type(error).__name__}: {error}") from None


def evaluate(job: dict[str, Any], memory: memoryview) -> dict[str, Any]:
    """Do one job. Results are written as fp64: value, plain evaluation forwards and backwards, error bound."""
    reference = load_reference(job)
    arith = arithmetic(job["accumulate"])
    exact_args, traced_args = [], []
    for param in job["params"]:
        value = _value(param, memory)
        exact_args.append(value)
        floating = isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype == np.float64)
        traced_args.append(Traced.of(value, arith) if isinstance(value, np.ndarray) and floating else value)
    with np.errstate(all="ignore"):
        exact = _several(_attempt(reference, exact_args), job)
        coarse = ""
        try:
            traced = _several(reference(*traced_args), job)
            plains, errors = _unpack(traced, exact, arith)
        except Exception as error:
            # Anything may go wrong in foreign code that meets a stand-in for an array; the coarse bound needs none.
            coarse = str(error) if isinstance(error, Untraceable) else f"{type(error).__name__}: {error}"
            plains, errors = _coarse(reference, exact_args, exact, job)
    for result, value, (forwards, backwards), bound in zip(job["results"], exact, plains, errors, strict=True):
        for offset, array in zip(result["offsets"], (value, forwards, backwards, bound), strict=True):
            count = int(np.prod(result["shape"], dtype=np.int64))
            np.frombuffer(memory, np.float64, count, offset)[:] = np.asarray(array, np.float64).ravel()
    return {"ok": True, "coarse": coarse}


def _value(param: dict[str, Any], memory: memoryview) -> Any:
    """A parameter widened exactly: floats to fp64, integers to int64, bool to bool."""
    dtype = param["dtype"]
    if "offset" not in param:
        if dtype in ("i32", "i8", "u8", "bool"):
            return param["value"]
        return float(to_f64(from_f64(param["value"], dtype), dtype))
    count = int(np.prod(param["shape"], dtype=np.int64))
    storage = from_f64(0.0, dtype).dtype
    stored = np.frombuffer(memory, storage, count, param["offset"]).reshape(param["shape"])
    if dtype == "bool":
        return stored != 0
    return stored.astype(np.int64) if dtype in ("i32", "i8", "u8") else to_f64(stored, dtype)


def _attempt(reference: Callable[..., Any], args: list[Any]) -> Any:
    try:
        return reference(*(a.copy() if isinstance(a, np.ndarray) else a for a in args))
    except Exception as error:
        raise BadReference(f"the reference raises {type(error).__name__}: {error}") from None


def _several(value: Any, job: dict[str, Any]) -> list[Any]:
    """The results in order, each with its declared shape. Raises BadReference where they cannot be."""
    results = job["results"]
    values = list(value) if isinstance(value, tuple | list) and len(results) > 1 else [value]
    if len(values) != len(results):
        raise BadReference(f"the reference returns {len(values)} results, the signature has {len(results)}")
    shaped = []
    for result, each in zip(results, values, strict=True):
        shape = tuple(result["shape"])
        each = each if isinstance(each, Traced) else np.asarray(each)
        if each.shape != shape and each.size == int(np.prod(shape, dtype=np.int64)) and each.ndim == 0:
            each = each.reshape(shape)
        if tuple(each.shape) != shape:
            got, want = "x".join(map(str, each.shape)), "x".join(map(str, shape))
            raise BadReference(
                f"the reference gives {result['name']} the shape {got or 'of a number'}, the signature {want}"
            )
        shaped.append(each)
    return shaped


def _unpack(traced: list[Any], exact: list[Any], arith: Any) -> tuple[list[tuple[Array, Array]], list[Array]]:
    plains, errors = [], []
    for each, value in zip(traced, exact, strict=True):
        lifted = each if isinstance(each, Traced) else Traced.of(each, arith)
        if not np.allclose(lifted.exact, value, rtol=1e-9, atol=1e-300, equal_nan=True):
            raise Untraceable("a branch on values")
        plains.append(lifted.plain)
        errors.append(lifted.error)
    return plains, errors


def _coarse(
    reference: Callable[..., Any], args: list[Any], exact: list[Any], job: dict[str, Any]
) -> tuple[list[tuple[Array, Array]], list[Array]]:
    """Without a trace: NumPy's own evaluation in the accumulator's dtype, and one bound for all elements of a
    result.
    """
    arith = arithmetic(job["accumulate"])
    wide = [
        arith.round(a).astype(arith.working) if isinstance(a, np.ndarray) and a.dtype == np.float64 else a for a in args
    ]
    try:
        plain = _several(reference(*wide), job)
    except Exception:
        plain = exact
    terms = max([np.size(a) for a in args if isinstance(a, np.ndarray)] or [1])
    errors = []
    for value in exact:
        wide_value = np.asarray(value, np.float64)
        size = float(np.max(np.abs(wide_value), where=np.isfinite(wide_value), initial=0.0))
        errors.append(np.full(np.shape(value), (4 + np.sqrt(terms)) * arith.unit * size + arith.tiny))
    return [(np.asarray(p), np.asarray(p)) for p in plain], errors


def main() -> None:
    """Serve jobs until standard input ends."""
    fd = int(sys.argv[1])
    memory = memoryview(mmap.mmap(fd, os.fstat(fd).st_size))
    print(json.dumps({"sandbox": confine(inside_bubblewrap="--bubblewrap" in sys.argv)}), flush=True)
    for line in sys.stdin:
        try:
            reply = evaluate(json.loads(line), memory)
        except BadReference as error:
            reply = {"ok": False, "bad_reference": str(error)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
