-- What staff changed in the tables of rules: each edit, with every row as it was and as it is, so that it can be read and undone.
CREATE TABLE table_edits (
  id TEXT PRIMARY KEY,
  -- The word of the table: 'promotions', 'taxes' …
  table_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  -- As in audit_log
  actor TEXT NOT NULL,
  -- 'form', 'file' or 'undo'
  source TEXT NOT NULL,
  -- How many rows it changed
  changed BIGINT NOT NULL,
  -- The edit that undid it, or NULL
  undone_by TEXT
);
CREATE INDEX table_edits_by_table ON table_edits (table_name, id);

CREATE TABLE table_edit_rows (
  edit_id TEXT NOT NULL,
  -- In the order in which they were changed
  position BIGINT NOT NULL,
  table_name TEXT NOT NULL,
  -- What a row is known by in its table
  row_key TEXT NOT NULL,
  -- JSON: its cells by column; NULL where there was, or is, no row
  before TEXT,
  after TEXT,
  PRIMARY KEY (edit_id, position)
);
CREATE INDEX table_edit_rows_by_key ON table_edit_rows (table_name, row_key, edit_id);
