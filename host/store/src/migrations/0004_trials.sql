-- Every variant whose result on some data was ever looked at. The correction for how many were tried rests on it, so
-- what is written stays: INSERT OR REPLACE, which fires no DELETE trigger, is stopped before it replaces anything.

CREATE TABLE spans (
    id       INTEGER PRIMARY KEY CHECK (id > 0),
    venue    TEXT    NOT NULL,
    symbols  TEXT    NOT NULL,  -- a JSON list, sorted
    interval INTEGER NOT NULL CHECK (interval > 0),
    begins   INTEGER NOT NULL,
    ends     INTEGER NOT NULL,  -- the first instant that is not in it
    data     BLOB    NOT NULL CHECK (length(data) = 32),
    UNIQUE (venue, symbols, interval, begins, ends, data),
    CHECK (begins < ends)
) STRICT;

CREATE TABLE trials (
    id               INTEGER PRIMARY KEY CHECK (id > 0),
    variant          BLOB    NOT NULL REFERENCES variants,
    lineage          TEXT    NOT NULL REFERENCES lineages,
    span             INTEGER NOT NULL REFERENCES spans,
    at               INTEGER NOT NULL,
    tournament       BLOB    REFERENCES tournaments,
    sharpe           REAL,
    observations     INTEGER NOT NULL CHECK (observations >= 0),
    periods_per_year REAL    NOT NULL,
    UNIQUE (variant, span)
) STRICT;

CREATE INDEX trials_by_span ON trials (span);

CREATE TRIGGER spans_are_not_changed BEFORE UPDATE ON spans
BEGIN SELECT RAISE(ABORT, 'the ledger of trials is append-only'); END;

CREATE TRIGGER spans_are_not_deleted BEFORE DELETE ON spans
BEGIN SELECT RAISE(ABORT, 'the ledger of trials is append-only'); END;

CREATE TRIGGER spans_are_not_replaced BEFORE INSERT ON spans
WHEN EXISTS (SELECT 1 FROM spans WHERE id = NEW.id OR (venue, symbols, interval, begins, ends, data)
    = (NEW.venue, NEW.symbols, NEW.interval, NEW.begins, NEW.ends, NEW.data))
BEGIN SELECT RAISE(ABORT, 'the ledger of trials is append-only'); END;

CREATE TRIGGER trials_are_not_changed BEFORE UPDATE ON trials
BEGIN SELECT RAISE(ABORT, 'the ledger of trials is append-only'); END;

CREATE TRIGGER trials_are_not_deleted BEFORE DELETE ON trials
BEGIN SELECT RAISE(ABORT, 'the ledger of trials is append-only'); END;

CREATE TRIGGER trials_are_not_replaced BEFORE INSERT ON trials
WHEN EXISTS (SELECT 1 FROM trials WHERE id = NEW.id OR (variant, span) = (NEW.variant, NEW.span))
BEGIN SELECT RAISE(ABORT, 'the ledger of trials is append-only'); END;
