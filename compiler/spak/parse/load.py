"""A unit's folder to its intermediate representation, in memory. Knows the order of reading, not its use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.source import MAX_BYTES, read_source
from spak.model.ir import Invariant, Unit
from spak.parse.kernel import Kernel, kernel_body, read_kernel, read_variants
from spak.parse.knowledge import Gatherer
from spak.parse.meta import Meta, read_meta
from spak.parse.signature import ReadSignature, read_signature
from spak.parse.vectors import Tests, TestsReader
from spak.semantics.document import Document, read_document
from spak.semantics.markdown import first_sentence
from spak.semantics.resolve import check_knowledge
from spak.semantics.spaces import read_design_space, read_invariant, read_tuning_space
from spak.semantics.suggest import near
from spak.semantics.yamlfile import read_yaml

DOMAINS = "specs/domains"
MAX_TESTS_BYTES = 4 * MAX_BYTES

#: Top-level kinds that make up a kernel unit; everything else in its file is knowledge.
UNIT_KINDS = frozenset({"meta", "kernel", "design_space", "tuning_space", "invariant"})


@dataclass(frozen=True)
class Loaded:
    """`spans` maps JSON pointers of the unit to places; `files` is every file read, `diagnostics` are the warnings."""

    unit: Unit
    spans: dict[str, Span]
    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]


def load_unit(
    root: Path,
    folder: str,
    domains: str = DOMAINS,
    tests: str = "",
    *,
    strict: bool = False,
    beside: set[str] | None = None,
) -> Loaded:
    """Read `root/folder`. Raises SpakError with every error of every file; `strict` counts warnings among them. `beside` gets
    what was only looked at: the specs of other kernels that this one names.
    """
    found = Collector()
    loader = Loader(root, folder, domains, tests, found, beside if beside is not None else set())
    loaded = loader.load()
    wrong = list(dict.fromkeys(d for d in found.found if strict or d.severity == "error"))
    if wrong or loaded is None:
        raise SpakError(*sorted(wrong, key=lambda d: (d.span or Span(""), d.code)))
    return loaded


def spec_files(root: Path, folder: str) -> list[str]:
    """The spec files of a folder: `SPEC.*.md`, or `*.dsl` where there is none."""
    paths = sorted(p for pattern in ("SPEC.*.md", "*.dsl") for p in (root / folder).glob(pattern))
    return [p.relative_to(root).as_posix() for p in paths]


def unit_of(file: str) -> str:
    """The unit that a file's name speaks of: `SPEC.matmul.md` and `matmul.dsl` are of `matmul`."""
    name = Path(file).name
    return name.removeprefix("SPEC.").removesuffix(".md") if name.startswith("SPEC.") else Path(file).stem


class Loader:
    """One reading of one folder. Everything that is wrong ends up in `found`."""

    def __init__(self, root: Path, folder: str, domains: str, tests: str, found: Collector, beside: set[str]) -> None:
        self.root = root
        self.folder = folder
        self.domains = domains
        self.tests = tests
        self.found = found
        self.files: list[str] = []
        self.beside = beside

    def load(self) -> Loaded | None:
        document = self.document()
        if document is None:
            return None
        meta = read_meta(document, self.found)
        self.named_after_file(document, meta)
        gatherer = Gatherer(self.root, self.domains, self.found)
        knowledge = gatherer.document(document, UNIT_KINDS)
        self.files += knowledge.files
        check_knowledge(document, gatherer.taken, self.found, self.root, self.beside)
        block = self.kernel_block(document)
        if block is None:
            return None
        read = read_signature(block, self.found)
        if read is None:
            # Names cannot be judged without a signature, but keys, values and variants can.
            kernel_body(block, self.found)
            self.tests_file(None, meta)
            return None
        body = kernel_body(block, self.found)
        kernel = read_kernel(body, read, document.source, self.root, self.found)
        self.files += kernel.files
        tops = {
            kind: [b for b in document.items if isinstance(b, tree.Block) and b.kind == kind] for kind in UNIT_KINDS
        }
        inner = {
            kind: [*body.blocks.get(kind, ()), *tops.get(kind, ())]
            for kind in ("design_space", "tuning_space", "invariant", "variant")
        }
        choices: dict[str, Span] = {}
        design = read_design_space(inner["design_space"], self.found, choices)
        tunables: dict[str, Span] = {}
        tuning = read_tuning_space(inner["tuning_space"], read.scope, design, self.found, tunables)
        variants = read_variants(inner["variant"], design, read.scope, document.source, kernel, self.found)
        invariants, invariant_places = self.invariants(inner["invariant"], read)
        tests = self.tests_file((read, kernel), meta)
        kernel.places |= {f"/design_space/{i}": choices[c.name] for i, c in enumerate(design)}
        kernel.places |= {f"/tuning_space/parameters/{i}": tunables[c.name] for i, c in enumerate(tuning.parameters)}
        kernel.places |= {
            f"/signature/{kind}/{i}": read.places[p.name]
            for kind, params in (("params", read.signature.params), ("results", read.signature.results))
            for i, p in enumerate(params)
            if p.name in read.places
        }
        rules = knowledge.sorted()
        spans = (
            meta.places
            | kernel.places
            | invariant_places
            | tests.places
            | {"": block.span}
            | {f"/rules/{i}": s for i, (_, s) in enumerate(rules)}
        )
        if self.found.errors:
            return None
        unit = Unit(
            name=meta.name,
            family=meta.family,
            edition=meta.edition,
            version=meta.version,
            license=meta.license,
            summary=meta.summary or document.summary or first_sentence(kernel.intent.split("\n")[0]),
            prose="\n\n".join(part for part in (document.prose, kernel.intent) if part),
            signature=read.signature,
            design_space=design,
            tuning_space=tuning,
            invariants=invariants,
            variants=variants,
            rules=tuple(rule for rule, _ in rules),
            vectors=tuple(tests.vectors),
            shapes=tuple(tests.shapes),
            large=tuple(tests.large),
            **kernel.values,
        )
        pointers = {pointer: span for pointer, span in spans.items() if pointer == "" or pointer.startswith("/")}
        warnings = tuple(d for d in self.found.found if d.severity == "warning")
        return Loaded(unit, pointers, tuple(sorted(set(self.files))), warnings)

    def document(self) -> Document | None:
        files = spec_files(self.root, self.folder)
        if not files:
            name = Path(self.folder).name
            self.found.add(
                "SPK225", "there is no spec in this folder", Span(self.folder), f"write {self.folder}/SPEC.{name}.md"
            )
            return None
        if len(files) > 1:
            self.found.add(
                "SPK208",
                f"two specs in one folder: {', '.join(files)}",
                Span(files[1]),
                "give each unit a folder of its own",
            )
        self.files.append(files[0])
        return read_document(self.root, files[0], self.found)

    def named_after_file(self, document: Document, meta: Meta) -> None:
        expected = unit_of(document.file)
        if meta.name and meta.name != expected and meta.name_span is not None:
            self.found.add(
                "SPK208",
                f"the unit is called {meta.name!r}, its file {expected!r}",
                meta.name_span,
                "rename one of them",
            )
        folder = Path(self.folder).name
        if expected != folder:
            self.found.add(
                "SPK208",
                f"the spec of {expected!r} lies in the folder {folder!r}",
                Span(document.file),
                f"move it to {Path(self.folder).parent.as_posix()}/{expected}",
            )

    def kernel_block(self, document: Document) -> tree.Block | None:
        kernels = [item for item in document.items if isinstance(item, tree.Block) and item.kind == "kernel"]
        if not kernels:
            kinds = sorted({item.kind for item in document.items if isinstance(item, tree.Block)})
            close = next((kind for kind in kinds if near(kind, ["kernel"]).startswith("did you mean")), "")
            if not self.found.errors:
                hint = (
                    f"did you mean 'kernel' where it says {close!r}?"
                    if close
                    else "write `kernel f(a: f32[N]) -> c: f32[N] { ... }`"
                )
                self.found.add("SPK225", "this spec has no kernel", Span(document.file, 1, 1), hint)
            return None
        for extra in kernels[1:]:
            self.found.add(
                "SPK225",
                "a second kernel in one spec",
                extra.span,
                f"the first is at line {kernels[0].span.line}; give it a folder of its own",
            )
        kernel, expected = kernels[0], unit_of(document.file)
        if kernel.name != expected:
            self.found.add(
                "SPK208",
                f"the kernel is called {kernel.name!r}, its unit {expected!r}",
                kernel.name_span,
                "give them one name",
            )
        return kernel

    def invariants(
        self, blocks: list[tree.Block], read: ReadSignature
    ) -> tuple[tuple[Invariant, ...], dict[str, Span]]:
        """The unit's laws, sorted by name, and where they stand."""
        params = [param.name for param in read.signature.params]
        seen: dict[str, tree.Block] = {}
        made: dict[str, Invariant] = {}
        for block in blocks:
            invariant = read_invariant(block, read.scope, params, self.found)
            if invariant.name in made:
                self.found.add(
                    "SPK222",
                    f"invariant {invariant.name!r} is named twice",
                    block.name_span,
                    f"the first is at {seen[invariant.name].span}",
                )
                continue
            made[invariant.name], seen[invariant.name] = invariant, block
        ordered = sorted(made)
        return tuple(made[name] for name in ordered), {
            f"/invariants/{i}": seen[name].span for i, name in enumerate(ordered)
        }

    def tests_file(self, unit: tuple[ReadSignature, Kernel] | None, meta: Meta) -> Tests:
        name = self.tests or f"{self.folder}/tests.{Path(self.folder).name}.yaml"
        if not (self.root / name).is_file():
            return Tests()
        self.files.append(name)
        source = read_source(self.root, name, self.found, MAX_TESTS_BYTES)
        data = read_yaml(source.text, name, self.found) if source is not None else None
        if unit is None:
            return Tests()
        read, kernel = unit
        return TestsReader(read.signature, kernel.values["require"], self.found).read(data)
