-- Edges of the lineage of tables: which version was made from which, by which run.
-- from_table: the table that was read
-- from_version: its version
-- to_table: the table that was made
-- to_version: its version
-- method: the method that made it
-- models: the models it was given, with their roles
-- added: rows that the run added
-- published_at: when
-- run_id: the run
SELECT l.parent_table AS from_table, l.parent_version AS from_version, l.table_name AS to_table,
    l.version AS to_version, r.method, array_to_string(r.models, ', ') AS models, v.added, v.published_at, l.run_id
FROM catalog.table_lineage AS l
JOIN catalog.version_log AS v USING (table_name, version)
LEFT JOIN catalog.runs AS r ON r.run_id = l.run_id
