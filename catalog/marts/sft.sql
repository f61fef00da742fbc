-- Every row to fine-tune on, of all stages, in one shape, as the tables stand now.
-- table_name: the table that holds it
-- version: the version of the table that first had it
-- record_id: its id
-- prompt: what is asked; of a conversation, the first turn of the user
-- completion: the answer to learn; of a conversation, the last turn of the assistant
-- messages: the same as turns with role and content
-- turns: how many turns
-- parents: ids of the rows it was made from
WITH rows AS (
    SELECT table_name, record_id, parents, snapshot_id, prompt, completion,
        [{'role': 'user', 'content': prompt}, {'role': 'assistant', 'content': completion}] AS messages
    FROM {completions}
    UNION ALL
    SELECT table_name, record_id, parents, snapshot_id,
        list_filter(messages, lambda turn: turn.role = 'user')[1].content,
        list_filter(messages, lambda turn: turn.role = 'assistant')[-1].content, messages
    FROM {conversations}
)
SELECT table_name, v.version, record_id, prompt, completion, messages, len(messages) AS turns, parents
FROM rows
LEFT JOIN catalog.version_log AS v USING (table_name, snapshot_id)
