"""The build graph, for doit: `doit list` shows what there is to do."""

from spak.pipeline.frontends.doit_tasks import DOIT_CONFIG, task_spak  # noqa: F401
