-- Rows that were left out because they repeat another, beside the row that stays.
-- table_name: the table they were made for
-- run_id: the run that found it
-- kind: exact, near or same_meaning
-- similarity: how alike the two are, from 0 to 1
-- record_id: the row left out
-- content: what it held, as JSON
-- kept_id: the row that stays
-- cluster: number of the group of rows, within a partition of the run, that one row stands for
SELECT d.table_name, d.run_id, d.kind, d.similarity, d.record_id, r.content, d.kept_id, d.cluster
FROM catalog.duplicates AS d
LEFT JOIN (SELECT run_id, record_id, any_value(content) AS content FROM catalog.rejected GROUP BY ALL) AS r
    USING (run_id, record_id)
