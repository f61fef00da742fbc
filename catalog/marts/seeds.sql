-- Rows of raw tables by what came of them, over every generation.
-- seed_table: the raw table
-- seed_id: id of the row
-- rows: published rows that descend from it
-- tables: how many tables these are in
-- generations: how many steps the furthest is away, intermediate rows included
WITH RECURSIVE edges AS (
    SELECT hash(parent_id) AS parent, hash(record_id) AS child, parent_table, table_name
    FROM catalog.lineage
    WHERE kind = 'row' AND version IS NOT NULL
),
down AS (
    SELECT DISTINCT parent AS seed, child, table_name, 1 AS depth FROM edges WHERE parent_table LIKE 'raw.%'
    UNION ALL
    SELECT DISTINCT seed, e.child, e.table_name, depth + 1
    FROM down JOIN edges AS e ON e.parent = down.child
    WHERE depth < 64
),
descendants AS (
    SELECT seed, child, any_value(table_name) AS table_name, max(depth) AS depth
    FROM down
    ANTI JOIN (SELECT parent FROM edges WHERE parent_table IS NULL) AS intermediate ON parent = child
    GROUP BY seed, child
),
by_table AS (
    SELECT seed, table_name, count(*) AS rows, max(depth) AS depth FROM descendants GROUP BY seed, table_name
),
by_seed AS (
    SELECT seed, sum(rows)::BIGINT AS rows, count(*) AS tables, max(depth) AS generations
    FROM by_table GROUP BY seed
),
named AS (
    SELECT DISTINCT hash(parent_id) AS seed, parent_id AS seed_id, parent_table AS seed_table
    FROM catalog.lineage
    WHERE parent_table LIKE 'raw.%'
)
SELECT seed_table, seed_id, rows, tables, generations
FROM by_seed JOIN named USING (seed)
ORDER BY rows DESC, seed_id
