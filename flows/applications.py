"""The flow of stage `applications`."""

from flows.stage import stage_flow

applications = stage_flow("applications", "Make data for one kind of work, such as code.")
