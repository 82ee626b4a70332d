#!/bin/bash
# sqlite3: bulk inserts, indices, updates, deletes, VACUUM; the answers and the database agree.
source "$(dirname "$0")/common.bash"

cat >script.sql <<END
PRAGMA cache_size = -2000;
CREATE TABLE item (id INTEGER PRIMARY KEY, hash INTEGER, name TEXT, body BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $(scaled 200000))
INSERT INTO item SELECT i, (i * 2654435761) % 1000003, printf('name %x', i * 40503 % 65536),
                        zeroblob(i * 7 % 200) FROM n;
CREATE INDEX by_name ON item (name, hash);
CREATE INDEX by_hash ON item (hash DESC);
UPDATE item SET body = hex(name) || body WHERE hash % 3 = 0;
DELETE FROM item WHERE id % 7 = 0;
SELECT count(*), sum(hash), sum(length(body)), min(name), max(name) FROM item;
SELECT substr(name, 1, 7) AS prefix, count(*), group_concat(id % 10, '') FROM
    (SELECT * FROM item ORDER BY hash, id LIMIT 20000) GROUP BY prefix ORDER BY prefix;
SELECT a.id, b.id FROM item a JOIN item b ON a.hash = b.hash AND a.id < b.id ORDER BY 1, 2 LIMIT 999;
VACUUM;
PRAGMA integrity_check;
END

takes_effect sqlite3 :memory: 'SELECT 1'
sqlite3 plain.db <script.sql >plain.out
preloaded sqlite3 preloaded.db <script.sql >preloaded.out 2>err || { cat err; fail sqlite3; }
sound err
tail -n 1 preloaded.out | grep -qx ok || fail "integrity_check"
same plain.out preloaded.out
same plain.db preloaded.db
