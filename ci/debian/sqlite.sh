# SPDX-License-Identifier: MIT
# sqlite3: transactions, journals, WAL, locks of two processes.
sqlite3 a.db 'create table t(i integer primary key, s text, r real); with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000) insert into t select x, printf("%05d", x), x / 3.0 from c; create index s on t(s); select count(*), sum(i), max(s), round(avg(r), 3) from t;'
sqlite3 a.db 'begin; delete from t where i % 2; rollback; select count(*) from t; begin immediate; update t set s = s || "x" where i < 10; commit; select s from t limit 2; pragma integrity_check; pragma page_size; vacuum; select count(*) from t; explain query plan select * from t where s = "1";'
sqlite3 a.db 'pragma journal_mode=wal; insert into t values(9999, "wal", 1.5);' 'select * from t where i = 9999' '.headers on' '.mode csv' 'select i, s from t order by i desc limit 2'; ls a.db*
for i in 1 2 3 4; do (for j in $(seq 10); do sqlite3 -cmd '.timeout 20000' b.db 'create table if not exists n(x); insert into n values(1);' > /dev/null; done) & done; wait; sqlite3 b.db 'select sum(x) from n'
sqlite3 a.db .dump | sqlite3 c.db; sqlite3 c.db 'select count(*), json_extract("{""a"":[1,2]}", "$.a[1]") from t'; sqlite3 a.db 'select nothing'; echo $?; sqlite3 :memory: 'create virtual table f using fts5(x); insert into f values("some words"); select * from f where f match "words"'
