-- What strategies there are. The bytes of a component are a file beside the database, named by its digest.

CREATE TABLE lineages (
    name       TEXT    PRIMARY KEY,
    first_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE components (
    digest     BLOB    PRIMARY KEY CHECK (length(digest) = 32),
    lineage    TEXT    NOT NULL REFERENCES lineages,
    manifest   TEXT    NOT NULL,
    name       TEXT    NOT NULL AS (manifest ->> '$.name'),
    version    TEXT    NOT NULL AS (manifest ->> '$.version'),
    first_seen INTEGER NOT NULL,
    size       INTEGER NOT NULL CHECK (size >= 0),
    origin     TEXT    NOT NULL
) STRICT;

CREATE INDEX components_by_lineage ON components (lineage);

CREATE TABLE variants (
    digest     BLOB PRIMARY KEY CHECK (length(digest) = 32),
    component  BLOB NOT NULL REFERENCES components,
    parameters TEXT NOT NULL
) STRICT;

CREATE INDEX variants_by_component ON variants (component);
