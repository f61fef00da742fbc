-- Rows that were left out, by reason, with examples; figures in a reason count as the same.
-- table_name: the table they were made for
-- screen: the screen, or the operator, that left them out
-- reason: why, with one row's figures
-- rows: how many
-- last_run: the latest run that left out such a row
-- examples: contents of up to three of them, as JSON
-- evidence: what was found in one of them
WITH by_reason AS (
    SELECT table_name, screen, reason, count(*) AS rows, max(run_id) AS last_run,
        arg_min(content, record_id, 3) AS examples, any_value(evidence) AS evidence
    FROM catalog.rejected
    GROUP BY ALL
)
SELECT table_name, screen, any_value(reason) AS reason, sum(rows)::BIGINT AS rows, max(last_run) AS last_run,
    flatten(list(examples))[:3] AS examples, any_value(evidence) AS evidence
FROM by_reason
GROUP BY table_name, screen, regexp_replace(reason, '[0-9]+([.][0-9]+)?', '0', 'g')
ORDER BY rows DESC, table_name, screen, reason
