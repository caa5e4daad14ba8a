"""The language server: what an editor shows of a spec file. Knows no graph, and runs nothing."""
