-- Yield and cost of runs, by method, models and day.
-- stage: the stage
-- method: the method
-- models: the models that the runs were given, with their roles
-- day: the day (UTC) on which the runs began
-- runs: how many runs
-- published: runs that published a version
-- rows_in: rows that were read
-- made: rows that were made
-- kept: rows that were published
-- rejected: rows that a screen left out
-- dropped: rows that an operator dropped
-- yield: share of the rows made or dropped that were published
-- calls: requests to models
-- reused: requests that had been answered before
-- tokens: of prompts and completions; those of unmetered answers are missing
-- seconds: how long the runs took
-- cost: dollars that were paid, as far as prices are known
-- unpriced: requests whose price is not known, and which are missing in the cost
-- cost_a_row: dollars for a published row
SELECT stage, method, array_to_string(models, ', ') AS models, started_at::DATE AS day, count(*) AS runs,
    count(*) FILTER (status = 'published') AS published,
    sum(rows_in)::BIGINT AS rows_in, sum(made)::BIGINT AS made,
    coalesce(sum(kept) FILTER (status = 'published'), 0)::BIGINT AS kept,
    sum(rejected)::BIGINT AS rejected, sum(dropped)::BIGINT AS dropped,
    coalesce(sum(kept) FILTER (status = 'published'), 0) / nullif(sum(made) + sum(dropped), 0) AS yield,
    sum(calls)::BIGINT AS calls, sum(reused)::BIGINT AS reused,
    sum(prompt_tokens + completion_tokens)::BIGINT AS tokens, sum(seconds) AS seconds,
    sum(cost) AS cost, sum(unpriced)::BIGINT AS unpriced,
    sum(cost) / nullif(sum(kept) FILTER (status = 'published'), 0) AS cost_a_row
FROM catalog.runs
WHERE status IN ('published', 'unchanged', 'quarantined', 'failed')
GROUP BY ALL
ORDER BY day DESC, stage, method, models
