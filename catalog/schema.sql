-- The system tables. One row says one thing; everything else is a view over them.

CREATE SCHEMA IF NOT EXISTS catalog;

CREATE TABLE IF NOT EXISTS catalog.version_log (
    table_name VARCHAR, stage VARCHAR, method VARCHAR, version INTEGER,
    rows BIGINT, added BIGINT, mode VARCHAR, run_id VARCHAR, fingerprint VARCHAR, published_at TIMESTAMPTZ
);
COMMENT ON TABLE catalog.version_log IS 'Accepted states of tables, as published; read catalog.versions';

CREATE TABLE IF NOT EXISTS catalog.anchors (
    table_name VARCHAR, version INTEGER, snapshot BIGINT, anchored_at TIMESTAMPTZ
);
COMMENT ON TABLE catalog.anchors IS
'Later snapshots at which a table''s last version reads the same: with these, maintenance can let the earlier ones go';

-- DuckLake keeps with each row the snapshot that wrote it: a version and its snapshot cannot come apart. A version is
-- read at `snapshot`; the rows that it added are known by `added_in`.
CREATE OR REPLACE VIEW catalog.versions AS
SELECT table_name, stage, method, version, rows, added, mode, run_id, fingerprint, published_at,
    coalesce(a.snapshot, v.snapshot_id) AS snapshot, v.snapshot_id AS added_in
FROM catalog.version_log AS v
LEFT JOIN (SELECT table_name, version, max(snapshot) AS snapshot FROM catalog.anchors GROUP BY ALL) AS a
    USING (table_name, version);

COMMENT ON VIEW catalog.versions IS
'Every version of every table: how many rows it has and added, by which run, and the snapshot at which it is read';

CREATE TABLE IF NOT EXISTS catalog.pins (
    table_name VARCHAR, version INTEGER, pinned_at TIMESTAMPTZ, who VARCHAR, note VARCHAR
);
COMMENT ON TABLE catalog.pins IS 'Versions that maintenance keeps readable until they are unpinned';

CREATE TABLE IF NOT EXISTS catalog.maintenance (
    run_id VARCHAR, started_at TIMESTAMPTZ, step VARCHAR, found BIGINT, done BIGINT, files BIGINT, bytes BIGINT,
    seconds DOUBLE, note VARCHAR
);
COMMENT ON TABLE catalog.maintenance IS
'What each step of a maintenance found and did, and the files and bytes that it freed';

CREATE TABLE IF NOT EXISTS catalog.withdrawals (
    withdrawal_id VARCHAR, withdrawn_at TIMESTAMPTZ, who VARCHAR, why VARCHAR, asked VARCHAR, rows BIGINT,
    tables VARCHAR[], versions VARCHAR[], held_by VARCHAR[], answers BIGINT, purge VARCHAR
);
COMMENT ON TABLE catalog.withdrawals IS
'Take-downs: what was asked (JSON), how many rows went, from which tables, in which new versions; held_by: the earlier versions that still had them; purge: asked or done, where those and the answers that made the rows were to go too';

CREATE TABLE IF NOT EXISTS catalog.withdrawn (
    withdrawal_id VARCHAR, record_id VARCHAR, table_name VARCHAR
);
COMMENT ON TABLE catalog.withdrawn IS
'Every row withdrawn (of table_name, or an intermediate one), and every call whose answers were: nothing made of it again is published';

CREATE TABLE IF NOT EXISTS catalog.runs (
    run_id VARCHAR, stage VARCHAR, method VARCHAR, table_name VARCHAR, status VARCHAR, version INTEGER,
    started_at TIMESTAMPTZ, seconds DOUBLE, rows_in BIGINT, made BIGINT, kept BIGINT, rejected BIGINT, dropped BIGINT,
    calls BIGINT, reused BIGINT, failed BIGINT, prompt_tokens BIGINT, completion_tokens BIGINT, unmetered BIGINT,
    cost DOUBLE, unpriced BIGINT, stopped VARCHAR,
    inputs VARCHAR[], settings VARCHAR, models VARCHAR[], fingerprint VARCHAR, code_revision VARCHAR,
    flow_run VARCHAR, mlflow_run VARCHAR, error VARCHAR
);
COMMENT ON TABLE catalog.runs IS
'Runs of a method that ended: published, unchanged, quarantined (a gate refused), failed, or audited (a version was looked at). cost: dollars that this run paid, null where the price of a call is not known; unpriced, unmetered: calls without price, without tokens';

CREATE TABLE IF NOT EXISTS catalog.lineage (
    table_name VARCHAR, version INTEGER, record_id VARCHAR, kind VARCHAR, parent_id VARCHAR, parent_table VARCHAR,
    model VARCHAR, role VARCHAR
);
COMMENT ON TABLE catalog.lineage IS
'Row lineage: record_id was made from parent_id, a row (of parent_table, or an intermediate one) or a call of catalog.calls, of a model in a role';

CREATE TABLE IF NOT EXISTS catalog.table_lineage (
    table_name VARCHAR, version INTEGER, parent_table VARCHAR, parent_version INTEGER, run_id VARCHAR
);
COMMENT ON TABLE catalog.table_lineage IS 'Table lineage: which version of which table a version was made from';

CREATE TABLE IF NOT EXISTS catalog.checks (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, expectation VARCHAR, severity VARCHAR, passed BOOLEAN,
    observed VARCHAR, broken_rows BIGINT, examples VARCHAR[], error VARCHAR, checked_at TIMESTAMPTZ
);
COMMENT ON TABLE catalog.checks IS 'Expectations checked by Great Expectations; version is null where the gate refused';

CREATE TABLE IF NOT EXISTS catalog.metrics (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, axis VARCHAR, metric VARCHAR, value DOUBLE, n BIGINT,
    method VARCHAR, low DOUBLE, high DOUBLE
);
COMMENT ON TABLE catalog.metrics IS
'Figures of a run: value, over how many rows, by which measure and version of it, and its gate (null: none)';

CREATE VIEW IF NOT EXISTS catalog.scorecards AS
SELECT table_name, version, axis, metric, value, n, m.method, low, high,
    coalesce(value >= low, true) AND coalesce(value <= high, true) AS passed
FROM catalog.metrics AS m JOIN catalog.runs USING (run_id, table_name, version)
QUALIFY row_number() OVER (PARTITION BY table_name, version, metric ORDER BY m.snapshot_id DESC) = 1;
COMMENT ON VIEW catalog.scorecards IS
'The last figure of each kind of every version, with its gate, and whether it lies within';

CREATE TABLE IF NOT EXISTS catalog.ledger (
    run_id VARCHAR, table_name VARCHAR, position INTEGER, operator VARCHAR, rows_in BIGINT, rows_out BIGINT,
    dropped BIGINT, calls BIGINT, reused BIGINT, failed BIGINT, prompt_tokens BIGINT, completion_tokens BIGINT,
    unmetered BIGINT, cost DOUBLE, unpriced BIGINT, seconds DOUBLE
);
COMMENT ON TABLE catalog.ledger IS 'What each operator of a run took in, gave out, dropped and asked';

CREATE TABLE IF NOT EXISTS catalog.rejected (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, record_id VARCHAR, screen VARCHAR, reason VARCHAR,
    evidence VARCHAR, content VARCHAR, parents VARCHAR[]
);
COMMENT ON TABLE catalog.rejected IS
'Rows left out, by screen (or by the operator that dropped them), with reason and evidence; content is JSON';

CREATE TABLE IF NOT EXISTS catalog.reviews (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, asked_at TIMESTAMPTZ, position BIGINT, record_id VARCHAR,
    decides VARCHAR, question VARCHAR, text VARCHAR, choices VARCHAR[], reason VARCHAR, content VARCHAR,
    parents VARCHAR[]
);
COMMENT ON TABLE catalog.reviews IS
'Rows of which people are asked one column (decides), each question about a text once in a table, with the reason; content is JSON. everspring review shows what has become of them';

CREATE TABLE IF NOT EXISTS catalog.decisions (
    table_name VARCHAR, imported_at TIMESTAMPTZ, position INTEGER, record_id VARCHAR, subject VARCHAR,
    decision VARCHAR, annotator VARCHAR, decided_at VARCHAR, origin VARCHAR
);
COMMENT ON TABLE catalog.decisions IS
'What annotators decided on the reviews: subject is the record_id of the review, the last decision of each annotator counts';

CREATE TABLE IF NOT EXISTS catalog.flags (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, record_id VARCHAR, screen VARCHAR, action VARCHAR,
    reason VARCHAR, evidence VARCHAR
);
COMMENT ON TABLE catalog.flags IS
'Rows kept although a text screen found fault: as they are (flag), or with what was found replaced by its kind (mask)';

CREATE TABLE IF NOT EXISTS catalog.manifests (
    table_name VARCHAR, version INTEGER, signed_at TIMESTAMPTZ, manifest VARCHAR
);
COMMENT ON TABLE catalog.manifests IS
'Signed manifests of versions, as JSON: what everspring verify checks; of several of one version the newest counts';

CREATE TABLE IF NOT EXISTS catalog.leaves (
    table_name VARCHAR, version INTEGER, record_id VARCHAR, content BLOB
);
COMMENT ON TABLE catalog.leaves IS
'Hash of each row''s content as it was signed, kept once, with the first version that has the row';

CREATE TABLE IF NOT EXISTS catalog.hits (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, record_id VARCHAR, field VARCHAR, benchmark VARCHAR,
    item VARCHAR, span_start BIGINT, span_end BIGINT, layer VARCHAR, score DOUBLE, verdict VARCHAR
);
COMMENT ON TABLE catalog.hits IS
'Benchmark items found in rows that a run made: where, by which layer, how much of the item, and the verdict (contaminated rows are rejected; possible and boilerplate ones are not)';

CREATE VIEW IF NOT EXISTS catalog.contamination AS
SELECT run_id, table_name, version, benchmark, layer, verdict, count(DISTINCT item) AS items,
    count(DISTINCT record_id) AS rows, max(score) AS highest
FROM catalog.hits
GROUP BY ALL;
COMMENT ON VIEW catalog.contamination IS 'How many items of a benchmark, in how many rows, each layer found in what a run made';

CREATE TABLE IF NOT EXISTS catalog.duplicates (
    run_id VARCHAR, table_name VARCHAR, version INTEGER, record_id VARCHAR, kept_id VARCHAR, similarity DOUBLE,
    kind VARCHAR, cluster UINTEGER
);
COMMENT ON TABLE catalog.duplicates IS
'Rows that repeat another (exact) or nearly do (near): the row that stays for each, and how alike they are; cluster: rows with one kept row in one partition of a run';

CREATE TABLE IF NOT EXISTS catalog.signatures (
    table_name VARCHAR, version INTEGER, record_id VARCHAR, content_key VARCHAR, content UBIGINT, size UINTEGER,
    bands UINTEGER[], sketch UINTEGER[], vector FLOAT[]
);
COMMENT ON TABLE catalog.signatures IS
'What new rows are compared with instead of the text of published ones: hash of the content, MinHash bands, sketch of the shingles; vector where `same_meaning` is looked for';

CREATE TABLE IF NOT EXISTS catalog.sources (
    table_name VARCHAR, version INTEGER, source VARCHAR, licence VARCHAR, origin VARCHAR, content_hash VARCHAR,
    rows BIGINT, run_id VARCHAR, imported_at TIMESTAMPTZ
);
COMMENT ON TABLE catalog.sources IS 'Where the rows of raw.* come from, under which licence';

CREATE TABLE IF NOT EXISTS catalog.methods (
    method VARCHAR, stage VARCHAR, table_name VARCHAR, summary VARCHAR, title VARCHAR, authors VARCHAR, year INTEGER,
    link VARCHAR, categories VARCHAR[], also VARCHAR[], inputs VARCHAR, roles VARCHAR[], settings VARCHAR,
    shape VARCHAR, code VARCHAR
);
COMMENT ON TABLE catalog.methods IS 'The methods that this installation knows';
