-- Edges of the lineage of rows: what was made from what.
-- from_table: the table of the parent; null where it is an intermediate row or a call
-- from_id: id of the parent: a row, an intermediate row, or a call in catalog.calls
-- kind: what the parent is: row or call
-- model: the model that was asked, where the parent is a call
-- to_table: the table that the child was made for
-- to_version: the version of that table that first had it; null where it was not published
-- to_id: id of the child, a row or an intermediate row
SELECT parent_table AS from_table, parent_id AS from_id, kind, model, table_name AS to_table, version AS to_version,
    record_id AS to_id
FROM catalog.lineage
