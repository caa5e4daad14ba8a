"""What device code may not do, judged by its syntax tree: keep state, recurse, call through pointers, run at load time.

Knows no names of library functions; `policy_tokens` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from spak.check.source import Function, function_declarator, text_of, walk
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic

if TYPE_CHECKING:
    from tree_sitter import Node

NAME = "policy: structure"
NEEDS = frozenset({"tree"})

_NAMESPACE_SCOPE = (
    "translation_unit", "linkage_specification", "declaration_list", "template_declaration",
    "preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif",
)  # fmt: skip
_ATTRIBUTES = frozenset(
    ("aligned", "always_inline", "noinline", "vector_size", "may_alias", "unused", "maybe_unused", "nodiscard",
    "likely",
     "unlikely", "noreturn", "fallthrough", "assume", "hot", "cold", "pure", "const", "flatten", "packed", "unroll")
)  # fmt: skip


def check(subject: Subject) -> Iterable[Finding]:
    root = subject.source.root
    for node in walk(root):
        if node.type == "declaration":
            yield from _declaration(subject, node)
        elif node.type == "field_declaration" and "static" in _words(node) and "constexpr" not in _words(node):
            if function_declarator(node.child_by_field_name("declarator")) is None:
                yield _at(
                    subject,
                    node,
                    "SPK423",
                    "a static member keeps state between launches",
                    "make it constexpr, or a local",
                )
        elif node.type in ("attribute_specifier", "attribute"):
            yield from _attribute(subject, node)
        if _is_function_pointer(node):
            yield _at(
                subject,
                node,
                "SPK425",
                "a pointer to a function hides what is called",
                "use a template parameter or a lambda",
            )
    yield from _function_values(subject)
    yield from _recursion(subject)


def _at(subject: Subject, node: Node, code: str, message: str, hint: str, *notes: str) -> Diagnostic:
    return Diagnostic(code, message, subject.source.span(node), hint, notes)


def _words(node: Node) -> set[str]:
    """The specifiers of a declaration: everything before its declarators that is a word of its own."""
    return {
        word
        for index, child in enumerate(node.children)
        if node.field_name_for_child(index) is None
        for word in re.findall(r"\w+", text_of(child))
    }


def _declaration(subject: Subject, node: Node) -> Iterator[Diagnostic]:
    words = _words(node)
    at_namespace = node.parent is not None and node.parent.type in _NAMESPACE_SCOPE
    declarators = node.children_by_field_name("declarator")
    if any(function_declarator(d) is not None for d in declarators):
        yield from _prototype(subject, node, declarators, at_namespace)
        return
    if not declarators or "__shared__" in words:
        return
    names = ", ".join(_declared(d) for d in declarators)
    if not at_namespace:
        if "static" in words and "constexpr" not in words:
            yield _at(
                subject,
                node,
                "SPK423",
                f"the static local {names!r} keeps state between launches",
                "make it constexpr or drop static",
            )
        elif "extern" in words:
            yield _at(subject, node, "SPK423", f"{names!r} is defined elsewhere", "a kernel uses its arguments only")
        return
    if "constexpr" in words or node.children_by_field_name("type") == []:
        return
    if "__constant__" in words and all(d.type == "init_declarator" for d in declarators):
        return
    if "const" not in words or any(_points(d) for d in declarators):
        hint = "state may not outlive a launch: make it constexpr, or a [[workspace]] of the plan"
        yield _at(subject, node, "SPK423", f"the global {names!r} is mutable", hint)
    elif "extern" in words or any(d.type != "init_declarator" for d in declarators):
        yield _at(subject, node, "SPK423", f"the global {names!r} has no value here", "give it a constant value")
    elif any(n.type in ("call_expression", "lambda_expression") for d in declarators for n in walk(d)):
        yield _at(
            subject, node, "SPK423", f"the global {names!r} is computed when the module is loaded", "make it constexpr"
        )


def _prototype(subject: Subject, node: Node, declarators: list[Node], at_namespace: bool) -> Iterator[Diagnostic]:
    for declarator in declarators:
        holder = function_declarator(declarator)
        name = holder.child_by_field_name("declarator") if holder is not None else None
        if holder is None or name is None or name.type == "parenthesized_declarator":
            continue
        if text_of(name) in subject.source.function_names:
            continue
        # `float4 v(a, b);` in a body reads as a prototype to the grammar; one with a type we know is one.
        params = holder.child_by_field_name("parameters")
        certain = params is not None and any(n.type in ("primitive_type", "sized_type_specifier") for n in walk(params))
        if at_namespace or certain:
            hint = "a kernel may only call what its source or the allowed headers define"
            yield _at(subject, node, "SPK434", f"{text_of(name)!r} is declared but not defined", hint)


def _declared(node: Node) -> str:
    return next((text_of(n) for n in walk(node) if n.type in ("identifier", "field_identifier")), text_of(node))


def _points(declarator: Node) -> bool:
    """Whether a `const` declaration declares a pointer that may itself be changed (`const T* p`)."""
    for node in walk(declarator):
        if node.type == "pointer_declarator" and not any(text_of(c) == "const" for c in node.children):
            return True
    return False


def _attribute(subject: Subject, node: Node) -> Iterator[Diagnostic]:
    if node.type == "attribute":
        name = node.child_by_field_name("name")
        names = [text_of(name)] if name is not None else []
    else:
        arguments = next((c for c in node.named_children if c.type == "argument_list"), None)
        names = [text_of(n) for n in walk(arguments) if n.type == "identifier"] if arguments is not None else []
    for name_ in names:
        if name_.strip("_") not in _ATTRIBUTES:
            hint = f"allowed are {', '.join(sorted(_ATTRIBUTES))}"
            yield _at(subject, node, "SPK428", f"the attribute {name_!r} is not allowed", hint)


def _is_function_pointer(node: Node) -> bool:
    if node.type == "function_declarator":
        inner = node.child_by_field_name("declarator")
        return (
            inner is not None
            and inner.type == "parenthesized_declarator"
            and any(n.type == "pointer_declarator" for n in walk(inner))
        )
    if node.type in ("alias_declaration", "type_definition"):  # `using F = int(int);`, which `F* f` then points to
        return any(n.type in ("abstract_function_declarator", "function_declarator") for n in walk(node))
    if node.type == "unary_expression":  # `+[](int x) { ... }`
        operand = node.child_by_field_name("argument")
        return operand is not None and operand.type == "lambda_expression"
    if node.type == "abstract_function_declarator":
        return any(
            n.type == "abstract_pointer_declarator" for n in node.children_by_field_name("declarator") for n in walk(n)
        )
    return False


def _function_values(subject: Subject) -> Iterator[Diagnostic]:
    """A function's name anywhere but where it is called or declared is its address."""
    source = subject.source
    names = {function.name for function in source.functions}
    variables = {p.name for f in source.functions for p in f.params}
    for node in walk(source.root):
        if node.type in ("declaration", "init_declarator", "for_range_loop"):
            for declarator in node.children_by_field_name("declarator"):
                if function_declarator(declarator) is None:
                    variables.add(_declared(declarator))
    for node in walk(source.root):
        if node.type != "identifier" or node.parent is None:
            continue
        name = text_of(node)
        if name not in names or name in variables:
            continue
        parent = node.parent
        called = parent.type == "call_expression" and parent.child_by_field_name("function") == node
        declared = parent.type in (
            "function_declarator",
            "template_function",
            "qualified_identifier",
            "template_argument_list",
            "using_declaration",
        )
        if not called and not declared:
            yield _at(
                subject,
                node,
                "SPK425",
                f"{name!r} is used as a value, not called",
                "use a template parameter or a lambda",
            )


def _recursion(subject: Subject) -> Iterator[Diagnostic]:
    """Cycles of the call graph, by name and number of arguments; templates may call their own other instances."""
    functions = subject.source.functions
    by_key: dict[tuple[str, int], list[Function]] = {}
    for function in functions:
        by_key.setdefault((function.name, len(function.params)), []).append(function)
    calls: dict[tuple[str, int], dict[tuple[str, int], Node]] = {}
    for function in functions:
        key = (function.name, len(function.params))
        for callee, node in _calls(function):
            if callee in by_key and not (callee == key and _other(function, node, by_key[key])):
                calls.setdefault(key, {}).setdefault(callee, node)
    reported: set[frozenset[tuple[str, int]]] = set()
    for start in sorted(calls):
        cycle = _cycle(calls, start)
        if cycle and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            node = calls[cycle[0]][cycle[1] if len(cycle) > 1 else cycle[0]]
            path = " -> ".join(name for name, _ in [*cycle, cycle[0]])
            yield _at(subject, node, "SPK424", f"recursion: {path}", "write a loop")


def _calls(function: Function) -> Iterator[tuple[tuple[str, int], Node]]:
    for node in walk(function.body):
        if node.type != "call_expression" or any(child.type == "kernel_call_syntax" for child in node.children):
            continue
        callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if callee is None or arguments is None:
            continue
        name = text_of(callee).split("<")[0]
        name = re.split(r"::|\.|->", name)[-1].strip()
        yield (name, sum(1 for a in arguments.named_children if a.type != "comment")), node


def _other(function: Function, node: Node, overloads: list[Function]) -> bool:
    """Whether a call of the same name surely or possibly means another function: an overload, or another instance."""
    callee = node.child_by_field_name("function")
    instance = callee is not None and any(n.type == "template_function" for n in walk(callee))
    return len(overloads) > 1 or ("template" in function.markers and instance)


def _cycle(calls: dict[tuple[str, int], dict[tuple[str, int], Node]], start: tuple[str, int]) -> list[tuple[str, int]]:
    """A path from `start` back to it, [] when there is none."""
    stack: list[list[tuple[str, int]]] = [[start]]
    seen = set()
    while stack:
        path = stack.pop()
        for callee in sorted(calls.get(path[-1], ())):
            if callee == start:
                return path
            if callee not in seen:
                seen.add(callee)
                stack.append([*path, callee])
    return []
