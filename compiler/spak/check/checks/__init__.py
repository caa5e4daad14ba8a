"""One static check a file; see `spak.check.subject` for what a file here must define. There is no list to add it to."""
