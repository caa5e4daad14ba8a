"""A loaded unit to its files, canonical and atomic. Knows the files, not how a unit is read."""

from __future__ import annotations

from pathlib import Path

from spak.errors import Diagnostic, SpakError, Span
from spak.model.base import canonical_json
from spak.model.ir import behaviour, interface, structure
from spak.model.outcome import Outcome
from spak.parse import Options
from spak.parse.load import load_unit
from spak.store import atomic


def write_unit(options: Options) -> Outcome:
    """Load `options.folder` of the project in the current directory, and write what was asked for."""
    loaded = load_unit(Path(), options.folder, options.domains, options.tests)
    unit = loaded.unit
    if unit.name != options.unit:
        span = loaded.spans.get("/name", Span(options.folder))
        raise SpakError(
            Diagnostic(
                "SPK208",
                f"the unit is called {unit.name!r}, not {options.unit!r}",
                span,
                "give folder and unit one name",
            )
        )
    atomic.write(options.out_ir, canonical_json(unit))
    atomic.write(options.out_interface, canonical_json(interface(unit)))
    if options.out_behaviour:
        atomic.write(options.out_behaviour, canonical_json(behaviour(unit)))
    if options.out_structure:
        atomic.write(options.out_structure, canonical_json(structure(unit)))
    places = {pointer: [s.file, s.line, s.col, s.end_line, s.end_col] for pointer, s in loaded.spans.items()}
    atomic.write(options.out_spans, canonical_json(places))
    summary = {"variants": len(unit.variants), "rules": len(unit.rules), "vectors": len(unit.vectors)}
    return Outcome(diagnostics=tuple(d.to_json() for d in loaded.diagnostics), summary=summary)
