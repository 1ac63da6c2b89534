-- The roles of an installation on PostgreSQL, and its database. Run it once, by psql, as a superuser (docs/database.md).
--
--   mfmanage_owner owns the tables. It runs manage.py migrate, and nothing else.
--   mfmanage serves: web, worker, scheduler and the operators' commands. It owns nothing and is no superuser, so that
--   row-level security holds for it.
--
-- Their passwords stand in the files owner_password and application_password of the folder SECRETS.
\set ON_ERROR_STOP on
\set owner_password `cat "${SECRETS:-/run/secrets}/owner_password"`
\set application_password `cat "${SECRETS:-/run/secrets}/application_password"`

CREATE ROLE mfmanage_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE mfmanage LOGIN PASSWORD :'application_password';
CREATE DATABASE mfmanage OWNER mfmanage_owner;
REVOKE ALL ON DATABASE mfmanage FROM PUBLIC;
GRANT CONNECT ON DATABASE mfmanage TO mfmanage;

\connect mfmanage
GRANT USAGE, CREATE ON SCHEMA public TO mfmanage_owner;
GRANT USAGE ON SCHEMA public TO mfmanage;
ALTER DEFAULT PRIVILEGES FOR ROLE mfmanage_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mfmanage;
ALTER DEFAULT PRIVILEGES FOR ROLE mfmanage_owner IN SCHEMA public
    GRANT USAGE ON SEQUENCES TO mfmanage;
