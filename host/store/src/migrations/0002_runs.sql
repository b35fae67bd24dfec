-- What variants did. The number of a run stays in this file: trades name it, because a digest would be a third of each.

CREATE TABLE runs (
    id      INTEGER PRIMARY KEY,
    key     BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
    variant BLOB    NOT NULL REFERENCES variants,
    inputs  TEXT    NOT NULL,
    result  BLOB    NOT NULL CHECK (length(result) = 32),
    metrics TEXT,
    fuel    INTEGER NOT NULL CHECK (fuel >= 0),
    fault   TEXT,
    at      INTEGER NOT NULL,
    trades  INTEGER,            -- how many are kept; null if none were asked to be
    CHECK (metrics IS NOT NULL OR fault IS NOT NULL)
) STRICT;

CREATE INDEX runs_by_variant ON runs (variant);

CREATE TABLE trades (
    run         INTEGER NOT NULL REFERENCES runs,
    ordinal     INTEGER NOT NULL CHECK (ordinal >= 0),
    symbol      TEXT    NOT NULL,
    entry_time  INTEGER NOT NULL,
    entry_price REAL    NOT NULL,
    exit_time   INTEGER NOT NULL,
    exit_price  REAL    NOT NULL,
    side        TEXT    NOT NULL CHECK (side IN ('long', 'short')),
    quantity    REAL    NOT NULL,
    fees        REAL    NOT NULL,
    pnl_gross   REAL    NOT NULL,
    funding     REAL    NOT NULL,
    pnl_net     REAL    NOT NULL,
    bars_held   INTEGER NOT NULL CHECK (bars_held >= 0),
    mae         REAL    NOT NULL,
    mfe         REAL    NOT NULL,
    exit_reason TEXT    NOT NULL,
    PRIMARY KEY (run, ordinal)
) STRICT, WITHOUT ROWID;
