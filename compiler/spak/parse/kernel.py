"""The `kernel` block and its variants. Knows what each attribute must be, not how it is used."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spak.digest import sha256_file
from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.expr import print_expr
from spak.lang.source import Source, read_source
from spak.model.ir import Choice, Reference, Require, Signature, Tensor, Tolerance, Variant
from spak.parse.signature import NAME, ReadSignature, read_dtype
from spak.semantics.markdown import reflow
from spak.semantics.reader import (
    NOT_LITERAL,
    Body,
    Scope,
    literal,
    read_body,
    read_bool,
    read_expr,
    read_int,
    read_number,
    read_text,
    read_words,
)
from spak.semantics.suggest import near

ATTRIBUTES = (
    "require",
    "reference",
    "accumulate",
    "tolerance",
    "flops",
    "bytes",
    "linear",
    "deterministic",
    "openmp",
    "grants",
    "attempts",
    "targets",
    "sass",
    "intent",
)
BLOCKS = ("variant", "invariant", "design_space", "tuning_space", "require", "tolerance")
GRANTS = ("inline_ptx", "atomics")
MOST_FACTOR = 64.0


@dataclass
class Kernel:
    """A kernel's attributes, ready for the unit. `places` has JSON pointers; `files` what was read beside the spec."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    intent: str = ""


def kernel_body(block: tree.Block, found: Collector) -> Body:
    """The statements of a kernel block, sorted."""
    items = block.body if isinstance(block.body, tuple) else ()
    return read_body(
        items, f"kernel {block.name}", block.span, ATTRIBUTES, found, repeatable=("require",), blocks=BLOCKS
    )


def read_kernel(body: Body, read: ReadSignature, source: Source, root: Path, found: Collector) -> Kernel:
    """Everything in a kernel but its spaces, variants and invariants."""
    kernel = Kernel()
    scope, signature = read.scope, read.signature
    numbers = Scope({name: kind for name, kind in scope.kinds.items()}, scope.what)
    requires = read_requires(body, numbers, source, found)
    for index, (_, span) in enumerate(requires):
        kernel.places[f"/require/{index}"] = span
    kernel.values["require"] = tuple(require for require, _ in requires)
    kernel.values["reference"] = read_reference(body, signature, source, root, kernel, found)
    for key, attrs in body.attributes.items():
        if key != "require":
            kernel.places["/linear_in" if key == "linear" else f"/{key}"] = attrs[0].span
    accumulate = body.value("accumulate")
    if accumulate is not None:
        dtype = read_dtype(read_text(accumulate, found), accumulate.span, found)
        kernel.values |= {"accumulate": dtype} if dtype else {}
    kernel.values["tolerance"] = read_tolerance(body, found)
    for key in ("flops", "bytes"):
        value = body.value(key)
        expr = read_expr(value, numbers, "number", found) if value is not None else None
        kernel.values |= {key: print_expr(expr)} if expr is not None else {}
    kernel.values["linear_in"] = read_linear(body.value("linear"), signature, found)
    kernel.values["deterministic"] = read_bool(body.value("deterministic"), found, True)
    kernel.values["openmp"] = read_bool(body.value("openmp"), found, False)
    kernel.values["grants"] = read_grants(body.value("grants"), found)
    kernel.values["attempts"] = read_int(body.value("attempts"), found, 3, 1, 10)
    kernel.values["targets"] = tuple(word for word, _ in read_words(body.value("targets"), found))
    kernel.values["sass"] = tuple(word for word, _ in read_words(body.value("sass"), found))
    kernel.intent = reflow(read_text(body.value("intent"), found))
    return kernel


def read_requires(body: Body, scope: Scope, source: Source, found: Collector) -> list[tuple[Require, Span]]:
    """`require: expr`, `require: [expr, ...]`, or `require "words": expr`, in the spec's order."""
    conditions: list[tuple[tree.Value, str, Span]] = []
    for attr in body.attributes.get("require", ()):
        items = attr.value.items if isinstance(attr.value, tree.ListLit) else (attr.value,)
        conditions += [(item, "", item.span) for item in items]
    for block in body.blocks.get("require", ()):
        if block.annotation is None or block.name is None or block.body is not None:
            found.add(
                "SPK205",
                'a require with words of its own is `require "words": condition`',
                block.span,
                "or `require: condition`",
            )
        else:
            conditions.append((block.annotation, block.name, block.span))
    conditions.sort(key=lambda c: c[2])
    read = []
    for value, words, span in conditions:
        expr = read_expr(value, scope, "truth", found)
        if expr is not None:
            read.append((Require(expr=print_expr(expr), words=words or _words(value, source, print_expr(expr))), span))
    return read


def _words(value: tree.Value, source: Source, canonical: str) -> str:
    """The source text of an expression; the canonical text where comments stand inside it."""
    if isinstance(value, tree.Str):
        return " ".join(value.value.split())
    text = source.slice(value.span)
    return canonical if "//" in text or "#" in text or "/*" in text else " ".join(text.split())


def read_reference(
    body: Body, signature: Signature, source: Source, root: Path, kernel: Kernel, found: Collector
) -> Reference | None:
    value = body.value("reference")
    if value is None and any(d.code.startswith("SPK1") for d in found.errors):
        return None  # what could not be read may have been it
    if value is None:
        found.add(
            "SPK206",
            f"{body.where} has no reference",
            body.span,
            'add `reference: "a @ b"` or `reference: reference.py:function`',
        )
        return None
    if isinstance(value, tree.Name) and ".py:" in value.id:
        return _python(value, source, root, kernel, found)
    if not isinstance(value, tree.Str):
        found.add(
            "SPK213",
            "a reference is NumPy in quotes or a function of a file",
            value.span,
            'write `reference: "a @ b"` or `reference: reference.py:f`',
        )
        return None
    text = " ".join(value.value.split())
    names = {param.name for param in signature.params} | {"np"}
    try:
        parsed = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        found.add(
            "SPK213",
            f"not a Python expression: {reason}",
            value.span,
            "a reference is one NumPy expression over the parameters",
        )
        return None
    bound = {node.id for node in ast.walk(parsed) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(parsed) if isinstance(node, ast.arg)}
    for name in sorted({node.id for node in ast.walk(parsed) if isinstance(node, ast.Name)} - bound - names - ALLOWED):
        found.add(
            "SPK204", f"{name!r} is not defined in the reference", value.span, near(name, names, "parameters and np")
        )
    return Reference(kind="numpy", expr=text)


#: Builtins that a reference may use.
ALLOWED = frozenset({"abs", "float", "int", "len", "max", "min", "range", "round", "slice", "sum", "tuple", "zip"})


def _python(value: tree.Name, source: Source, root: Path, kernel: Kernel, found: Collector) -> Reference | None:
    name, _, function = value.id.partition(":")
    file = (Path(source.name).parent / name).as_posix()
    kernel.files.append(file)
    if not (root / file).is_file():
        found.add(
            "SPK213",
            f"there is no {file}",
            value.span,
            "write it beside the spec: a function over the parameters, in NumPy",
        )
        return None
    code = read_source(root, file, found)
    if code is None:
        return None
    try:
        parsed = ast.parse(code.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
        found.add("SPK213", f"{name} is not valid Python", Span(file, line), "run it once with python")
        return None
    functions = [node.name for node in parsed.body if isinstance(node, ast.FunctionDef)]
    if function not in functions:
        found.add(
            "SPK213",
            f"{name} has no function {function!r}",
            value.span,
            near(function, functions, "it has") or "add it",
        )
        return None
    return Reference(kind="python", file=file, function=function, sha256=sha256_file(root / file))


def read_tolerance(body: Body, found: Collector) -> Tolerance:
    """`{ factor: 4, rtol: 1e-5, atol: 0 }`: rtol and atol only tighten the derived bound."""
    value = body.value("tolerance")
    blocks = body.blocks.get("tolerance", ())
    items: list[tree.Item] = []
    if isinstance(value, tree.MapLit):
        items += value.items
    elif value is not None:
        found.add("SPK205", "a tolerance is a map", value.span, "write `tolerance: { factor: 4 }`")
    for index, block in enumerate(blocks):
        if value is not None or index:
            found.add("SPK202", "'tolerance' stands twice", block.span, "keep one")
        items += block.body if isinstance(block.body, tuple) else ()
    inner = read_body(items, "tolerance", body.span, ("factor", "rtol", "atol"), found)
    numbers: dict[str, float] = {}
    for key in inner.attributes:
        given = inner.value(key)
        number = read_number(given, found, key, positive=key == "factor") if given is not None else None
        if number is not None and given is not None and key == "factor" and number > MOST_FACTOR:
            found.add(
                "SPK205",
                f"a factor of {number:g} would pass wrong kernels",
                given.span,
                f"the most is {MOST_FACTOR:g}; the usual is 4",
            )
        elif number is not None:
            numbers[key] = number
    return Tolerance.model_validate(numbers)


def read_linear(value: tree.Value | None, signature: Signature, found: Collector) -> tuple[str, ...]:
    tensors = [param.name for param in signature.params if isinstance(param, Tensor)]
    words = read_words(value, found)
    for word, span in words:
        if word not in tensors:
            found.add("SPK204", f"{word!r} is no tensor parameter", span, near(word, tensors, "tensors"))
    return tuple(word for word, _ in words)


def read_grants(value: tree.Value | None, found: Collector) -> tuple[str, ...]:
    words = read_words(value, found)
    for word, span in words:
        if word not in GRANTS:
            found.add("SPK204", f"there is no grant {word!r}", span, near(word, GRANTS, "grants"))
    return tuple(word for word, _ in words)


def read_variants(
    blocks: Sequence[tree.Block],
    design: Sequence[Choice],
    scope: Scope,
    source: Source,
    kernel: Kernel,
    found: Collector,
) -> tuple[Variant, ...]:
    """The rungs, in the spec's order. A kernel without any has one, called `plain`."""
    choices = {choice.name: choice.values for choice in design}
    variants: dict[str, Variant] = {}
    for block in blocks:
        name = block.name or ""
        items = block.body if isinstance(block.body, tuple) else ()
        keys = ("intent", "targets", "require", *choices)
        body = read_body(
            items, f"variant {name}", block.span, keys, found, repeatable=("require",), blocks=("require",)
        )
        if not NAME.match(name) or block.quoted:
            found.add(
                "SPK221",
                f"a variant cannot be called {name!r}",
                block.span,
                "use letters, digits and `_`: the name is part of file names",
            )
            continue
        if name in variants:
            found.add(
                "SPK222",
                f"variant {name!r} is named twice",
                block.name_span,
                f"the first is at {kernel.places[f'variant {name}']}",
            )
            continue
        picked = {axis: v for axis in choices if (v := _pick(axis, body, choices[axis], found)) is not None}
        kernel.places[f"variant {name}"] = block.name_span
        kernel.places[f"/variants/{len(variants)}"] = block.span
        variants[name] = Variant(
            name=name,
            intent=reflow(read_text(body.value("intent"), found)),
            design=picked,
            targets=tuple(word for word, _ in read_words(body.value("targets"), found)),
            require=tuple(require for require, _ in read_requires(body, scope, source, found)),
        )
    return tuple(variants.values()) or (Variant(name="plain"),)


def _pick(axis: str, body: Body, values: tuple[Any, ...], found: Collector) -> Any:
    """The value that a variant chooses on a design axis, None if it leaves it to the reply."""
    value = body.value(axis)
    if value is None:
        return None
    choice = literal(value)
    if choice is NOT_LITERAL or not any(type(choice) is type(v) and choice == v for v in values):
        shown = choice if isinstance(choice, str) else ""
        found.add("SPK214", f"{axis} has no such choice", value.span, near(shown, [str(v) for v in values], "choices"))
        return None
    return choice
