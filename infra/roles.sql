-- Least privilege on a team's PostgreSQL: a writer publishes and asks models, an analyst reads. Run it again after an
-- upgrade; it changes nothing that is as it should be.
--
--     EVERSPRING_LAKE=postgresql://owner@host/everspring everspring tables      # makes the lake, where there is none
--     psql -d postgresql://owner@host/everspring -v ON_ERROR_STOP=1 -f infra/roles.sql
--
-- The owner is whoever made the lake, with the right to create roles; it upgrades the lake, and nobody works as it from
-- day to day. Give people and machines accounts of their own, each with a password that psql's \password asks for:
--
--     CREATE ROLE ann LOGIN IN ROLE everspring_analyst;
--     CREATE ROLE worker LOGIN IN ROLE everspring_writer;
--     ALTER ROLE worker SET role = everspring_writer;    -- what one writer makes belongs to all of them
--
-- The data lie outside PostgreSQL: on S3, infra/s3-writer.json and infra/s3-analyst.json say the same to the store.

BEGIN;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['everspring_writer', 'everspring_analyst'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    IF NOT pg_has_role(current_user, 'everspring_writer', 'MEMBER') THEN
        EXECUTE format('GRANT everspring_writer TO %I', current_user);
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO everspring_writer, everspring_analyst', current_database());
END
$$;

-- The catalogue (DuckLake's tables, in `public`) and the calls (`everspring`).
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public, everspring TO everspring_writer, everspring_analyst;
GRANT CREATE ON SCHEMA public TO everspring_writer;    -- DuckLake keeps few rows in tables that it makes as it goes

GRANT SELECT ON ALL TABLES IN SCHEMA public, everspring TO everspring_analyst;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, everspring TO everspring_writer;

-- The same for tables that are yet to be made, by the owner and by a writer.
ALTER DEFAULT PRIVILEGES IN SCHEMA public, everspring GRANT SELECT ON TABLES TO everspring_analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA public, everspring
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO everspring_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE everspring_writer IN SCHEMA public GRANT SELECT ON TABLES TO everspring_analyst;

COMMIT;
