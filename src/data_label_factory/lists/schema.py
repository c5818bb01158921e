"""The tables of a file of lists, and how an older file becomes a newer one.

`changes` has what each step did to an entry. `entries.content` is
`Content.dump()`; its other columns follow from that and are there to
search, sort and add up.
"""

from __future__ import annotations

APPLICATION_ID = 0x444C464C  # "DLFL": tells our files from other SQLite files

_FIRST = """
CREATE TABLE lists (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX list_names ON lists (name_key) WHERE NOT deleted;

CREATE TABLE entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list INTEGER NOT NULL REFERENCES lists (id),
  version INTEGER NOT NULL,
  content TEXT NOT NULL,
  state TEXT NOT NULL,
  name_key TEXT NOT NULL,
  set_key TEXT NOT NULL,
  rarity_key TEXT NOT NULL,
  place_key TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  cents INTEGER,
  currency TEXT NOT NULL,
  equal_key TEXT NOT NULL,
  folded TEXT NOT NULL
);
CREATE INDEX entries_of_a_list ON entries (list, id);
CREATE INDEX equal_entries ON entries (list, equal_key);
-- Read instead of the rows, which are ten times as long: 2 ms for 10,000.
CREATE INDEX sums ON entries (list, currency, state, quantity, cents);
CREATE INDEX words ON entries (list, folded, state);

CREATE TABLE steps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list INTEGER NOT NULL REFERENCES lists (id),
  kind TEXT NOT NULL,
  at TEXT NOT NULL,
  device TEXT NOT NULL,
  undoes INTEGER REFERENCES steps (id),
  undone_by INTEGER REFERENCES steps (id)
);
CREATE INDEX steps_of_a_list ON steps (list, id);

-- entry is NULL where the list itself was changed: its name.
CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  step INTEGER NOT NULL REFERENCES steps (id),
  entry INTEGER,
  before TEXT,
  after TEXT
);
CREATE INDEX changes_of_a_step ON changes (step, id);
CREATE INDEX changes_of_an_entry ON changes (entry, id);

-- What a client calls a take, so that one sent twice counts once.
CREATE TABLE keys (
  list INTEGER NOT NULL REFERENCES lists (id),
  key TEXT NOT NULL,
  entry INTEGER NOT NULL,
  PRIMARY KEY (list, key)
) WITHOUT ROWID;

-- Files that were taken whole, by the digest of their bytes.
CREATE TABLE sources (
  list INTEGER NOT NULL REFERENCES lists (id),
  digest TEXT NOT NULL,
  name TEXT NOT NULL,
  step INTEGER NOT NULL REFERENCES steps (id)
);
CREATE INDEX sources_of_a_list ON sources (list, digest);

CREATE TABLE crops (digest TEXT PRIMARY KEY, jpeg BLOB NOT NULL);
"""

# The SQL that leads from version N to N + 1. Never change one that was released.
MIGRATIONS = (_FIRST,)
