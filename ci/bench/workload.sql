-- What sqlite3 does in the benchmark: bulk inserts, indices, updates, deletes, joins, in memory.
CREATE TABLE item (id INTEGER PRIMARY KEY, hash INTEGER, name TEXT, body BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO item SELECT i, (i * 2654435761) % 1000003, printf('name %x', i * 40503 % 65536),
                        zeroblob(i * 7 % 200) FROM n;
CREATE INDEX by_name ON item (name, hash);
CREATE INDEX by_hash ON item (hash DESC);
UPDATE item SET body = hex(name) || body WHERE hash % 3 = 0;
DELETE FROM item WHERE id % 7 = 0;
SELECT count(*), sum(hash), sum(length(body)), min(name), max(name) FROM item;
SELECT substr(name, 1, 7) AS prefix, count(*), length(group_concat(id % 10, '')) FROM
    (SELECT * FROM item ORDER BY hash, id LIMIT 20000) GROUP BY prefix ORDER BY prefix LIMIT 9;
SELECT count(*) FROM item a JOIN item b ON a.hash = b.hash AND a.id < b.id;
DROP TABLE item;
