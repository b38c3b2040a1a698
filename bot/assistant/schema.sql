CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY,
    site_id TEXT NOT NULL,
    title TEXT NOT NULL,
    category TEXT,
    kind TEXT NOT NULL,            -- file, text, qa
    status TEXT NOT NULL,          -- draft, active
    ready INTEGER NOT NULL,
    error TEXT,                    -- why it failed; NULL while it is processed and when it is ready
    source TEXT,                   -- path below the watched folder, NULL when it came over HTTP
    digest TEXT,
    filename TEXT,
    raw BLOB,                      -- the upload, until it is parsed
    content TEXT,                  -- of a text document
    question TEXT,
    answer TEXT,
    passage_count INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_of_site ON documents (site_id, created_at);
CREATE UNIQUE INDEX IF NOT EXISTS documents_of_folder ON documents (site_id, source) WHERE source IS NOT NULL;

CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,            -- prose, qa, table, code, term, contents: bot/documents/passages.py
    title TEXT NOT NULL,           -- of the document
    heading TEXT NOT NULL,         -- the path of headings, or the question of a Q&A pair
    body TEXT NOT NULL,            -- Markdown
    page INTEGER                   -- counted from 1; NULL where there are no pages
);
CREATE INDEX IF NOT EXISTS passages_of_document ON passages (document_id);
-- The index has the passages as `spaced` (bot/assistant/retrieval/text.py) gives them: the database's connection has it.
-- What older versions indexed by goes, and its passages are indexed anew.
DROP TRIGGER IF EXISTS passages_in;
DROP TRIGGER IF EXISTS passages_added;
DROP TRIGGER IF EXISTS passages_out;
DROP TABLE IF EXISTS passage_terms;
DROP TABLE IF EXISTS passage_index;
CREATE VIEW IF NOT EXISTS passages_spaced AS
    SELECT id, spaced(title) AS title, spaced(heading) AS heading, spaced(body) AS body FROM passages;
CREATE VIRTUAL TABLE IF NOT EXISTS passage_search USING fts5 (
    title, heading, body, content = 'passages_spaced', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
INSERT INTO passage_search (passage_search) SELECT 'rebuild'
    WHERE EXISTS (SELECT 1 FROM passages) AND NOT EXISTS (SELECT 1 FROM passage_search_docsize);
-- bot/assistant/indexing.py puts new passages in, many at a time.
CREATE TRIGGER IF NOT EXISTS passages_removed AFTER DELETE ON passages BEGIN
    INSERT INTO passage_search (passage_search, rowid, title, heading, body)
    VALUES ('delete', old.id, spaced(old.title), spaced(old.heading), spaced(old.body));
END;
CREATE VIRTUAL TABLE IF NOT EXISTS search_terms USING fts5vocab (passage_search, row);

-- Words as people write them (not stems), to mend misspelt ones by.
CREATE TABLE IF NOT EXISTS words (
    site_id TEXT NOT NULL, word TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (site_id, word)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sessions (
    site_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    email TEXT,
    created_at TEXT NOT NULL,
    last_activity_at TEXT NOT NULL,
    closed_at TEXT,
    PRIMARY KEY (site_id, session_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL UNIQUE,
    site_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    email TEXT,
    message TEXT NOT NULL,
    language TEXT,
    submitted_at REAL NOT NULL,    -- seconds since the epoch
    due_at REAL NOT NULL,
    outcome TEXT,                  -- how a fault or a script wants it to end, JSON
    status TEXT NOT NULL,          -- pending, completed, failed
    answer TEXT,
    error TEXT,
    known INTEGER,                 -- 0: honestly not known
    confidence_level TEXT,
    confidence_score REAL,
    document_id TEXT,
    completed_at REAL,
    feedback TEXT,
    feedback_submitted_at TEXT
);
CREATE INDEX IF NOT EXISTS requests_of_session ON requests (site_id, session_id, number);
CREATE INDEX IF NOT EXISTS requests_open ON requests (status) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS requests_of_person ON requests (site_id, email) WHERE email IS NOT NULL;

CREATE TABLE IF NOT EXISTS usage (
    tenant_id TEXT NOT NULL, day TEXT NOT NULL, requests INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, day)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS widgets (site_id TEXT PRIMARY KEY, config TEXT NOT NULL);
