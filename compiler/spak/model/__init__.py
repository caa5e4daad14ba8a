"""The frozen data that stages pass to each other. Knows nothing of files, processes or stages."""
