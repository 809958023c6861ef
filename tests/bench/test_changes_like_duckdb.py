"""Every form of the statements that change rows, beside DuckDB: the same rows after it, the same rows returned, the same count."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

import luma_bench as lb

SETUP = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 7, b VARCHAR)",
    "INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y'), (3, 30, 'z')",
    "CREATE TABLE u (id INTEGER, v INTEGER)",
    "INSERT INTO u VALUES (1, 100), (1, 101), (2, 200), (9, 900)",
    "CREATE TABLE s (id INTEGER, a INTEGER, b VARCHAR)",
    "INSERT INTO s VALUES (1, 100, 's1'), (2, 200, 's2'), (9, 900, 's9')",
    "CREATE TABLE n (k INTEGER, x DOUBLE, d DATE, l INTEGER[])",
    "INSERT INTO n VALUES (1, 1.5, '2024-01-01', [1, 2]), (2, NULL, NULL, NULL), (2, 2.5, '2024-01-03', [])",
)
TABLES = ("t", "u", "s", "n")

UPDATES = """
update t set a=u.v from u where u.id=t.id and v<>101 returning *
update t set a=1, b='k' where id=2
update t as x set a=x.a+1 returning x.a
update t set (a,b)=(1,'q') where id=1 returning id, a+1 as k, *
update t set (a,b)=row(5,'q') where id=1 returning *
update t set (a)=5 where id=1 returning *
update t set (a,b)=default where id=1 returning *
update t set (a,b)=(default,default) where id=1 returning *
update t set (a,b)=5
update t set a=default returning *
update t set a=(select sum(a) from t) returning a
update t set a=s.a, b=s.b from s where s.id=t.id returning *
update t set a=x.m from (select id, max(v) as m from u group by id) x where x.id=t.id returning *
update t set a=s.a from s left join u on u.id=s.id and u.v=200 where s.id=t.id and u.v is null returning *
update t as x set b=y.b from t as y where y.id=x.id-1 returning *
update t set b=b2 from t as t2(id2,a2,b2) where id2=id+1 returning *
update t set a=x from (values (1,2)) v(i,x) where i=id returning *
with c as (select 1 as k) update t set a=k from c where id=c.k returning *
update t set id=id+1
update t set id=4-id
update t set id=id+10 returning id
update t set a=1 where false returning *
update n set x=x+1, d=d+1, l=list_append(l,k) where k=2 returning *
update n set d='2024-02-03' where k=1 returning d
update n set x='1.25' returning x
update t set a=u.v from u where u.id=t.id returning t.id, u.v
update t set a=row_number() over ()
update t set a=sum(a)
update t as x set a=1 returning t.a
update t set a=10/0
update t set (a,b)=(1,2,3)
update t set id=null where id=1
update t set id=2 where id=1
update n set d='nope' where k=1
"""
DELETES = """
delete from t using u where u.id=t.id returning *
delete from t using u where u.id=t.id
delete from t using u, s where t.id=u.id and u.id=s.id and s.a=200 returning *
delete from t as q using u as w where q.id=w.id returning q.id
delete from t using (select id from u where v>150) w where w.id=t.id
delete from t where id in (select id from u) returning id, b
delete from t where id=99 returning a+1 as k
delete from n where k=2 returning *
delete from u
truncate t
with c as (select 1 as k) delete from t using c where id=c.k returning *
delete from t using u where u.id=t.id returning t.id, v
delete from t returning sum(a)
delete from t returning (select 1)
delete from t returning row_number() over ()
"""
INSERTS = """
insert into t values (4,default,'w'),(5,1,default) returning *
insert into t (values (51, default, 'x'))
insert into t(id) values (6) returning a,b
insert into t(id,b) values (7,default) returning *
with c as (select 8 as id) insert into t(id) select id from c returning id
with c as (select 8 as id) insert into t(id) with d as (select id+1 as id from c) select id from d returning id
insert into t by name select 'm' as b, 20 as id returning *
insert into t by name select 72 as ID, 'q' as B returning *
insert into t(a,id) select a, id+100 from t returning id+1, upper(b) u
insert into t values (200,1,'x') returning b as "Q z", id::varchar||'k'
insert into t values (4, (select max(v) from u), lower('ABC')) returning *
insert into t select id+10, v, null from u where v<>101 returning *
insert into t(b,id) values ('q', '71') returning id
insert into n values (9, '1.5', '2020-02-02', [3]) returning *
insert into n(k, l) values (9, default), (10, [4]) returning *
insert into n default values returning *
insert into t values (12,1,'r') returning t.id, t.*
insert into t from s where id=9 returning *
insert into t (from s where id=9)
insert into t select * from t where false returning *
insert into t default values
insert into t(id,a) values (30,1,2)
insert into t(id) values (default)
insert into t select default, 1, 'x'
insert into t values (50, 1+default, 'x')
insert into t values (52,1)
insert into t(id,a) select 53
insert into t(id,id) values (1,1)
insert into t(zz) values (1)
insert into t by name select 72 as zz
insert into t values ('abc', 1, 'x')
insert into t values (1,1,'dup')
insert into t values (11,1,'dup'),(11,2,'dup')
insert into t values (12,1,'r') returning count(*)
insert into t values (12,1,'r') returning zz
"""
CONFLICTS = """
insert into t values (1,99,'n') on conflict do nothing returning *
insert into t values (1,99,'n'),(5,1,'f'),(5,2,'g') on conflict do nothing returning *
insert into t values (1,99,'n') on conflict (id) do update set a=excluded.a+t.a, b=b||excluded.b returning *
insert into t values (6,1,'f'),(6,2,'g'),(1,5,'h'),(1,6,'i') on conflict (id) do update set a=excluded.a, b=t.b||excluded.b returning *
insert into t values (1,99,'n'),(2,1,'k') on conflict (id) do update set a=excluded.a where t.a<15 returning *
insert into t values (1,5,'a'),(1,6,'b') on conflict (id) do update set a=excluded.a where excluded.a=6 returning *
insert into t values (2,1,'a'),(12,1,'b') on conflict (ID) do update set b=excluded.b||t.b, a=excluded.a*2 where excluded.a<5 returning *
insert into t select * from s on conflict (id) do update set a=t.a+excluded.a
insert into t select * from s on conflict do update set (a,b)=(excluded.a, upper(excluded.b)) returning *
insert into t select s.id, u.v, 'j' from s join u on s.id=u.id on conflict do nothing
insert into t(id, b) values (1,'only b') on conflict (id) do update set b=excluded.b
insert into t(id) values (1) on conflict (id) do update set a=excluded.a returning *
insert into t values (2,99,'n') on conflict (id) do update set a=default returning *
insert into t values (1,99,'n') on conflict (id) do update set id=excluded.id+50 returning *
insert into t as q values (2,99,'n') on conflict (id) do update set a=q.a+excluded.a
with c as (select 1 as id) insert into t(id, a) select id, 77 from c on conflict (id) do update set a=excluded.a returning *
insert or replace into t values (1,99,'n'),(9,9,'k') returning *
insert or replace into t(id) values (1) returning *
insert or replace into t(id,b) values (2,'only') returning *
insert or replace into t select * from s
insert or replace into t by name select 2 as id, 'bn' as b returning *
insert or replace into t values (6,1,'f'),(6,2,'g'),(6,3,'h'),(1,1,'1'),(1,2,'2')
insert or ignore into t select * from s returning id
insert into t values (1,1,'x') on conflict (a) do nothing
insert into t values (1,1,'x') on conflict (id, a) do nothing
insert into t values (1,1,'x') on conflict (zz) do nothing
insert into t values (1,1,'x') on conflict (id) where id>2 do nothing
insert into t values (1,1,'x') on conflict (id) do update set zz=1
insert into t values (1,1,'x') on conflict (id) do update set a=excluded.zz
insert into t values (1,1,'x') on conflict (id) do update set a=1, a=2
insert into t values (1,1,'x') on conflict (id) do update set id=2
insert into t values (1,1,'x') on conflict (id) do update set id=null
insert into t values (1,1,'x') on conflict (id) do update set a=sum(excluded.a)
insert into t values (1,1,'x') on conflict (id) do update set a=row_number() over ()
insert into t values (null,1,'x') on conflict (id) do nothing
insert into u values (1,1) on conflict do nothing
insert or replace into u values (1,1)
insert or replace into t values (1,1,'a') on conflict do nothing
"""
MERGES = """
merge into t using s on t.id=s.id when matched then update set a=s.a when not matched then insert values (s.id,s.a,s.b) returning merge_action, *
merge into t using s using (id) when matched then update set a=s.a, b=default when not matched then insert (id, b) values (s.id, default) returning *, merge_action
merge into t using s using (id) when matched then update set * when not matched then insert * returning *, merge_action
merge into t using s using (id) when matched then update by name when not matched then insert by position returning *, merge_action
merge into t using s using (id) when matched then delete when not matched by source then update set b='gone' when not matched by target then insert (id,a) values (s.id, default) returning *, merge_action
merge into t using s on t.id=s.id when matched and s.a>150 then delete when matched then update set b=s.b||t.b when not matched and s.a>1000 then insert
merge into t using s on t.id=s.id and s.a=200 when not matched by source then delete returning *
merge into t using s on t.id=s.id when not matched by source and t.id=3 then update set b='src' returning *
merge into t using s on true when matched then do nothing
merge into t using (select id, sum(v) as v from u group by id) x on x.id=t.id when matched then update set a=x.v when not matched then insert (id,a) values (x.id,x.v) returning *
merge into t using u on t.id=u.id and u.v<>101 when matched then update set a=u.v when not matched and u.id>5 then insert (id, a) values (u.id, u.v)
merge into t using u on t.id=u.id when matched and u.v=101 then update set a=u.v
merge into t as tt using s as ss on tt.id=ss.id when matched then update set a=ss.a+tt.a returning tt.*, merge_action as m
merge into n using (values (2, 9.5)) v(k,x) on n.k=v.k when matched then update set x=v.x returning *
merge into n using (select 7 as k, '2020-01-01' as d) v on n.k=v.k when not matched then insert (k,d) values (v.k, v.d) returning *
merge into t using s on t.id=s.id when matched and exists (from u where u.id=s.id and v=200) then delete returning id
merge into t using s on t.id=s.id when matched then update set a=(select max(v) from u where u.id=t.id) returning *
merge into t using s on t.id=s.id when matched then update set id=10-t.id returning *
merge into t using s on t.id=s.id when matched then update set id=3-t.id returning *
merge into t using (select 1 as id union all select 8) s on t.id=s.id when matched then delete when not matched then insert values (9, 1, 'n') returning *
merge into t using range(5) r(id) using (id) when not matched then insert (id) values (id) returning *
merge into t using (select 9 as id, 'only' as b) s on t.id=s.id when not matched then insert by name returning *
merge into t using t as t2 using (id) when matched then update set a=t2.a+1 returning *
merge into t using s on false when not matched then insert (id, b) values (s.id+10, default) returning *
merge into t using (select 11 as id, 3 as a) s using (id) when not matched then insert values (id, a, 'x') returning *
merge into t using (select 1 as id, 3 as a) s using (id) when not matched by source and id>2 then update set a=id returning *
merge into t using s on t.id=s.id when matched and case when s.a > 150 then true else false end then update set b=case when s.a=200 then 'two' end
merge into t using s on t.id=s.id when matched and s.id>100 then error
with s2 as (select * from s) merge into t using s2 on t.id=s2.id when matched then delete
merge into t using s join u using (id) on t.id=s.id and u.v<>101 when matched then update set a=v returning *
merge into n using (values (2, 9.5)) v(k,x) on n.k=v.k when not matched then insert by name
merge into t using u using (id) when matched then update set a=u.v
merge into t using u using (id) when matched then delete
merge into t using s on t.id=s.id when matched then error 'no ' || s.id
merge into t using s on t.id=s.id when matched then insert values (1,1,'x')
merge into t using s on t.id=s.id when not matched then update set a=1
merge into t using s on t.id=s.id when not matched then insert values (t.id, 1, 'x')
merge into t using s on t.id=s.id when not matched by source then update set a=s.a
merge into t using s on t.id=s.id when matched and id=1 then delete
merge into t using s on t.id=s.id when matched then update set zz=1
merge into t using s on t.id=s.id when matched then update set id=5
merge into t using s on t.id=s.id when matched then update set a=sum(s.a)
merge into t using s on t.id=s.id when not matched then insert (id) values (max(9))
merge into t using s on t.id=s.id when not matched then insert (id,zz) values (1,1)
merge into t using s on t.id=s.id when not matched then insert (id,a) values (1)
merge into t using s on t.id=s.id when not matched then insert values (s.id, 'abc', s.b)
merge into t using s on t.id=s.id when not matched then insert values (null, 1, s.b)
merge into t using (select 9 as id) s on t.id=s.id when not matched then insert *
merge into t using (select 9 as id, 'x' as bb) s on t.id=s.id when not matched then insert by name
merge into t using s on t.id=s.id when matched then delete returning s.a
merge into t using zz on t.id=zz.id when matched then delete
merge into t using s on t.id=s.id when matched then update set a=row_number() over ()
merge into t using s on t.id=s.id when matched then update set a=1 when matched then delete
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("like") / "demo.luma") as opened:
        for text in SETUP:
            opened.kadeql(text)
        yield opened


def _forms() -> list[str]:
    texts = UPDATES + DELETES + INSERTS + CONFLICTS + MERGES
    return [line for line in texts.splitlines() if line]


@pytest.mark.parametrize("text", _forms())
def test_a_form_does_what_duckdb_does(bench: lb.Bench, text: str) -> None:
    with duckdb.connect() as twin:
        for line in SETUP:
            twin.execute(line)
        try:
            found = twin.execute(text)
        except duckdb.Error:
            _is_refused(bench, text)
            return
        names, rows = [item[0] for item in found.description or ()], found.fetchall()
        after = {name: twin.table(name).fetchall() for name in TABLES}
    with bench.transaction() as tx:
        result = tx.kadeql(text)
        for name in TABLES:
            assert _ordered(_rows(tx.kadeql(f"FROM {name}"))) == _ordered(after[name])
        tx.rollback()
    if names == ["Count"]:
        assert result.to_arrow().column("rows").to_pylist() == [rows[0][0]]
    else:
        assert _ordered(_rows(result)) == _ordered(rows)
        if len(set(names)) == len(names):
            assert result.schema.names == names


def _is_refused(bench: lb.Bench, text: str) -> None:
    with bench.transaction() as tx:
        before = {name: _rows(tx.kadeql(f"FROM {name}")) for name in TABLES}
        with pytest.raises(lb.errors.KadeQLError) as caught:
            tx.kadeql(text)
        assert caught.value.span is not None
        assert caught.value.text == text
        assert caught.value.hint
        assert "__luma" not in str(caught.value)
        assert {name: _rows(tx.kadeql(f"FROM {name}")) for name in TABLES} == before
        tx.rollback()


def _rows(result: lb.Result) -> list[tuple[object, ...]]:
    table = result.to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _ordered(rows: list[tuple[object, ...]]) -> list[str]:
    return sorted(map(repr, rows))
