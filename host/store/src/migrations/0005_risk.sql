-- Where the account and its strategies stand, and how they came there.

CREATE TABLE guards (
    scope  TEXT    PRIMARY KEY CHECK (scope = 'account' OR scope LIKE 'strategy/_%'),
    form   INTEGER NOT NULL,    -- the form of the state; a newer one is not read
    state  TEXT    NOT NULL,    -- JSON
    digest BLOB    NOT NULL CHECK (length(digest) = 32),  -- of scope, form, time and state
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- An order to close everything that nobody has carried out yet. There is one or none.
CREATE TABLE flatten (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    at    INTEGER NOT NULL,
    who   TEXT    NOT NULL,
    cause TEXT    NOT NULL
) STRICT;

CREATE TABLE transitions (
    id    INTEGER PRIMARY KEY CHECK (id > 0),
    at    INTEGER NOT NULL,
    scope TEXT    NOT NULL CHECK (scope = 'account' OR scope LIKE 'strategy/_%'),
    who   TEXT    NOT NULL CHECK (who <> ''),
    what  TEXT    NOT NULL CHECK (what <> ''),
    cause TEXT    NOT NULL
) STRICT;

CREATE TRIGGER transitions_are_not_changed BEFORE UPDATE ON transitions
BEGIN SELECT RAISE(ABORT, 'the list of transitions is append-only'); END;

CREATE TRIGGER transitions_are_not_deleted BEFORE DELETE ON transitions
BEGIN SELECT RAISE(ABORT, 'the list of transitions is append-only'); END;

CREATE TRIGGER transitions_are_not_replaced BEFORE INSERT ON transitions
WHEN EXISTS (SELECT 1 FROM transitions WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the list of transitions is append-only'); END;
