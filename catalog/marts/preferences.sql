-- Every preference, of all stages, in one shape, as the tables stand now.
-- table_name: the table that holds it
-- version: the version of the table that first had it
-- record_id: its id
-- prompt: what is asked
-- chosen: the better answer
-- rejected: the worse answer
-- length_gap: characters that the better answer has more than the worse
-- parents: ids of the rows it was made from
SELECT table_name, v.version, record_id, prompt, chosen, rejected, len(chosen) - len(rejected) AS length_gap, parents
FROM {pairs}
LEFT JOIN catalog.version_log AS v USING (table_name, snapshot_id)
