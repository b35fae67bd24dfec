-- Who met whom, where each stood, and what is still to be run.

CREATE TABLE tournaments (
    id       BLOB    PRIMARY KEY CHECK (length(id) = 32),
    name     TEXT    NOT NULL,
    spec     TEXT    NOT NULL,
    began    INTEGER NOT NULL,
    finished INTEGER,
    result   BLOB    CHECK (length(result) = 32),
    CHECK ((finished IS NULL) = (result IS NULL))
) STRICT;

CREATE TABLE entries (
    tournament BLOB    NOT NULL REFERENCES tournaments,
    ordinal    INTEGER NOT NULL CHECK (ordinal >= 0),
    variant    BLOB    NOT NULL REFERENCES variants,
    window     TEXT    NOT NULL,
    run        BLOB    REFERENCES runs (key),
    PRIMARY KEY (tournament, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE standings (
    tournament BLOB    NOT NULL REFERENCES tournaments,
    label      TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    variant    BLOB    NOT NULL REFERENCES variants,
    rank       INTEGER CHECK (rank > 0),
    score      REAL,
    figures    TEXT    NOT NULL,
    PRIMARY KEY (tournament, label, variant)
) STRICT, WITHOUT ROWID;
