-- Models side by side on the prompts that several of them have answered.
-- table_name: the table that holds the answers
-- model: the model that wrote them
-- prompts: prompts that it and another model have answered
-- rows: its published answers to them
-- characters: mean length of its answers
-- answers_in_common: share of its answers that another model gave word for word
WITH answers AS (
    SELECT c.table_name, l.model, hash(c.prompt) AS prompt, hash(c.completion) AS completion, len(c.completion) AS size
    FROM {completions} AS c
    JOIN catalog.lineage AS l USING (table_name, record_id)
    WHERE l.kind = 'call' AND l.role = 'generator'
),
shared AS (
    SELECT prompt FROM answers GROUP BY prompt HAVING min(model) <> max(model)
),
repeated AS (
    SELECT prompt, completion FROM answers SEMI JOIN shared USING (prompt)
    GROUP BY ALL HAVING min(model) <> max(model)
)
SELECT table_name, model, count(DISTINCT a.prompt) AS prompts, count(*) AS rows, avg(size) AS characters,
    avg((r.prompt IS NOT NULL)::INT) AS answers_in_common
FROM answers AS a
SEMI JOIN shared USING (prompt)
LEFT JOIN repeated AS r ON r.prompt = a.prompt AND r.completion = a.completion
GROUP BY ALL
ORDER BY ALL
