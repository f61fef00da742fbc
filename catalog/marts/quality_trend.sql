-- Every figure of the scorecards, version by version, with how it has changed.
-- table_name: the table
-- version: the version
-- published_at: when it was published
-- axis: what the figure is about: quality, diversity, coverage, fidelity, contamination, privacy or security
-- metric: the figure
-- value: its value
-- n: over how many rows
-- before: its value in the version before that has it
-- change: value less before
-- passed: whether it lies within its gate; true where it has none
SELECT s.table_name, s.version, v.published_at, axis, metric, value, n,
    lag(value) OVER earlier AS before, value - lag(value) OVER earlier AS change, passed
FROM catalog.scorecards AS s
JOIN catalog.version_log AS v ON v.table_name = s.table_name AND v.version = s.version
WINDOW earlier AS (PARTITION BY s.table_name, metric ORDER BY s.version)
