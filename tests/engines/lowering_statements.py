"""Statements about relations that other engines run: each has to give DuckDB's own answer when it is lowered."""

from __future__ import annotations

JOINS = """
select t.id, u.name from t join u on t.k = u.k
select t.id, u.name from t left join u on t.k = u.k
select t.id, u.name from t right join u on t.k = u.k
select t.id, u.name from t full join u on t.k = u.k
select t.id, u.name from t full join u on t.k = u.k and t.id > 2
select t.id, u.name from t left join u on t.k = u.k and u.name like 't%'
select t.id, u.name from t left join u on t.k = u.k where u.name is null
select t.id, u.name from t left join u on t.k > u.k
select t.id, u.name from t cross join u
select t.id, u.name from t, u where t.k = u.k and t.id + u.id > 3
select t.id from t semi join u on t.k = u.k
select t.id from t anti join u on t.k = u.k
select t.id from t anti join u using (k)
select * from t join u using (k)
select * from t left join u using (k)
select * from t right join u using (k)
select * from t full join u using (k)
select k, count(*) from t full join u using (k) group by k
select * from w natural join u
select * from t join u using (k) join w using (k)
select a.id, b.id from t a join t b on a.k is not distinct from b.k
select a.id, b.id from t a join t b on a.k = b.k or a.s = b.s
select a.id, b.id, c.id from t a join (t b join w c on b.id = c.id) on a.k = b.k
select a.id, b.id from t a join t b on a.f = b.f
select count(*) from t, u
select x.k, y.n from (select k, count(*) as c from t group by k) x left join (select k, count(*) as n from u group by k) y on x.k = y.k
select a.id from t a left join u b on a.k = b.k left join w c on b.id = c.id where c.k > 100 or c.k is null
select t.id, x.k, x.n from t join lateral (select k, name as n from u where u.id = t.id and u.k > t.k - 100) x on x.k > 0
select id from t join (select '1' as id) q using (id)
select a.k, count(*) from t a join u b on a.k = b.k group by a.k having sum(b.id) > (select avg(id) from u) order by 1
select x.* from (select t.*, u.name from t left join u on t.k = u.k) x where x.name is null or x.name = 'ten'
select u.name, count(t.id) from u left join t on t.k = u.k group by rollup (u.name)
select count(*) from t t1 join t t2 on t1.k = t2.k and t1.id < t2.id join u on u.k = t1.k where u.name <> 'zwanzig'
select t1.id from t t1 left join t t2 on t1.k = t2.k and t1.id < t2.id where t2.id is null
select t1.id, t2.id from t t1 full join w t2 on t1.id = t2.id and t2.k > 200
select t1.id, t2.id from t t1 full join w t2 on t1.id = t2.id where coalesce(t1.id, t2.id) > 2
select id, name from t full join u using (id) order by id, name
select * from (select id, k from t) a natural full join (select id, name from u) b
select a.id from t a right join w b on a.id = b.id and a.k > 10 where b.k is not null
select a.id, b.k from t a left join w b on a.id = b.id and a.k = 10 order by 1, 2
select a.id from t a left join w b on a.id = b.id and b.k > 100 and a.s = 'a' or a.id = 5
select a.id from t a semi join w b on a.id = b.id and b.k > a.k
select a.id from t a anti join w b on a.id = b.id and b.k > a.k
select a.id from t a semi join w b using (id) where a.k = 20
select a.id from t a join w b on a.id = b.id and a.k is not distinct from a.k and b.k is not null
select a.id from t a join u b on (a.k is not distinct from b.k) and a.id > 1
select a.id from t a join u b on a.k = b.k where a.s is not null and (b.name = 'ten' or (b.name = 'twenty' and a.id > 2))
select u.* exclude (name), t.id from t, u where t.k = u.k
from t, u select count(*)
"""

SUBQUERIES = """
select id from t where k in (select k from u)
select id from t where k not in (select k from u)
select id from t where k not in (select k from u where k is not null)
select id from t where k not in (select k from u where false)
select id from t where not (k in (select k from u) and id > 1)
select id from t where k in (select k from u) or id = 3
select id from t where k not in (select k from u where k is not null) or id = 3
select id, k in (select k from u) as x from t
select id, k not in (select k from u) as x from t
select id, k in (select k from u where k is not null) as x from t
select id, k in (select k from u where false) as x from t
select id from t where exists (select 1 from u where u.k = t.k)
select id from t where not exists (select 1 from u where u.k = t.k)
select id from t where exists (select 1 from u where u.k = t.k and u.id < t.id) or s = 'd'
select id, exists (select 1 from u where u.k = t.k) as x from t
select id, not exists (select 1 from u where u.k = t.k) as x from t
select id, case when exists (select 1 from u where u.k = t.k) then 'y' else 'n' end as x from t
select id, (select count(*) from u where u.k = t.k) as n from t
select id, (select count(name) + 1 from u where u.k = t.k) as n from t
select id, (select max(name) from u where u.k = t.k) as n from t
select id, (select coalesce(max(name), 'none') from u where u.k = t.k) as n from t
select id, (select sum(id) from u where u.k = t.k) + 1 as n from t
select id from t where (select count(*) from u where u.k = t.k) = 0
select id from t where id > (select avg(id) from t)
select id from t where id > (select avg(id) from t t2 where t2.k = t.k)
select id from t where id = (select min(id) from t t2 where t2.k = t.k)
select id, (select name from u where u.id = t.id) as x from t where id <> 2
select id, (select name from u where u.id = t.id) as x from t
select id, (select name from u where id = 1) as x from t
select id, (select name from u) as x from t
select id, (select name from u where false) as x from t
select (select max(id) from t) as a, (select min(id) from t) as b
select id from t where k = (select k from u where name = 'ten')
select id, (select k from u where u.id = t.id order by name limit 1) as x from t
select id from t where id in (select max(id) from t group by k)
select id from t where id in (select max(id) from t)
select id from t where id not in (select max(id) from t)
select id from t where k in (select max(k) from u where u.id = t.id)
select id from t where 1 in (select count(*) from u where u.k = t.k)
select id from t where 0 in (select count(*) from u where u.k = t.k)
select id from t where exists (select max(k) from u where u.k = t.k)
select id from t where exists (select k from u where u.k = t.k group by k having count(*) > 1)
select * from (select k, s, sum(id) as n from t group by rollup (k, s)) where k = 10
select * from (select k, s, sum(id) as n from t group by rollup (k, s)) where k is null
select count(*) from (select id from t limit 3)
select t.id, x.k from t, lateral (select k from u where u.id = t.id) x
select id from t where id <> all (select id from u where id is not null)
select id from t where id = any (select id from u)
select k, (select count(*) from u where u.k = t.k) as n from t group by k
select k, count(*) from t where k in (select k from u) group by k having count(*) > (select count(*) from u where name = 'ten') order by k
select t.id, x.k from t, (select k, id from u) x where x.id = t.id
select id from t where id not in (select u.id from u where u.k = t.k)
select id from t where k not in (select w.k from w where w.id = t.id)
select id, k not in (select w.k from w where w.id = t.id) as x from t
select id, (select upper(name) from u where u.id = t.id and u.id <> 2) as x from t
select id, (select k from u where u.id = t.id order by name desc limit 1) as x from t
select id, (select name from u where u.id = t.id order by k desc, name limit 1) as x from t
select q."count_star()" + 1 from (select count(*) from t) q
select "sum(id)", "(k + 1)" from (select sum(id), k + 1 from t group by all) q where "sum(id)" > 3
select q.x = t.k from t, (select '10' as x) q
select t.id from t, (select '010' as x) q where q.x = t.k
select typeof(q.x + b::tinyint) from t, (select 1 as x) q
select id from t where id = (select '01')
select id from t where id = (select max('01'))
select id from t where s = (select 1)
select id from t where exists (select 1 from u where u.k = t.k limit 1)
select id from t where exists (select distinct name from u where u.k = t.k)
select id from t where exists (from u where u.k = t.k)
select id from t where not exists (from u where u.k = t.k or u.id = t.id)
select id from t where (exists (from u where u.k = t.k)) = true
select id from t where not (exists (from u where u.k = t.k) or k is null)
select id from t where not (k = 10 or k in (select k from u))
select count(*) from t where (select max(k) from u) > k
select id, (select max(k) from u) - k as d from t order by d desc nulls last, id
select k, sum(id) from t group by k order by (select count(*) from u where u.k = t.k), k
select s, count(*) from t where id in (select id from w where k > 100) group by s
select a.id from t a where a.k in (select b.k from t b where b.s = a.s and b.id <> a.id)
select a.id from t a where a.id < (select count(*) from t b where b.s = a.s)
select a.id from t a where 3 > (select count(*) from t b where b.s = a.s and b.id > 1)
select a.id from t a where (select count(distinct b.k) from t b where b.s = a.s) > 0
select a.id, (select list(b.id order by b.id) from t b where b.s = a.s) from t a
select a.id, (select string_agg(b.s, '-' order by b.id) from t b where b.k = a.k) from t a
select a.id, (select max(b.id) - min(b.id) from t b where b.k = a.k) from t a
select a.id, (select a.k) from t a
select a.id, (select b.id from (select id, k from t) b where b.k = a.k and b.id = a.id) from t a
select * from (with c as (select id from t where id < 3) select * from c) q
select id from t where id in (with c as (select id from w) select id from c)
select count(*) from (select distinct k, s from t)
from (select id from t) select id where id > 2
select id from t where id = 1 or (select true)
"""

SETS = """
select k from t union all select k from u
select k from t union select k from u
select k from t intersect select k from u
select k from t except select k from u
select k from t except all select k from u
select k from t intersect all select k from u
select id, k from t union all select id::double, k from w
select k from t union select k from u union all select k from w order by 1 limit 3
(select id from t order by id limit 2) union all (select id from w order by id desc limit 1)
select k from t union by name select id from u
select sum(x) from (select id as x from t union all select k from u) q
select id, k from t where id = 1 union all select id, k from t where id = 2 order by k desc
select id from t where id not in (select 1.5 union all select 2)
select id from t intersect select '1'
select id from t except select 1.0
select id from (select id from t intersect select '1') q
select k from t intersect all select k from u
select k from t except all select k from u
select k, s from t except all (select k, s from t where id < 4)
select k, id from t union by name select id, name from u
select id from t union all by name select k as id from u
"""

CTES = """
with c as (select k, sum(id) as n from t group by k) select * from c where n = (select max(n) from c)
with c as (select k, id from t), c2 as (select k from c where id > 2) select * from c join c2 using (k)
with c as materialized (select id from t) select * from c
with c as not materialized (select id from t) select * from c a, c b where a.id = b.id
with c(x, y) as (select id, k from t) select y from c where x > 2
with t as (select id + 100 as id from t) select * from t
with c as (select 1 as a), d as (with c as (select 2 as a) select a from c) select c.a, d.a from c, d
select * from (values (1, 'a'), (2, 'b')) v(x, y)
values (1, 'a'), (2, NULL)
select v.x, t.id from (values (10, 1), (20, 2)) v(x, y) join t on t.k = v.x
with c as (select k, count(*) as n from t group by k) select t.id, (select n from c where c.k = t.k) from t
with c as (select k, count(*) as n from t group by k) select t.id, (select max(n) from c where c.k = t.k), (select max(n) from c) from t
with c as (select * from t), d as (select * from c), e1 as (select * from d join c using (id)) select count(*) from e1
with a as (select id from t), b as (select id from a where id > 2), c as (select id from a where id < 6) select * from b join c using (id) order by id
with a as (select id, k, s from t) select x.id from a x join a y on x.id = y.k / 10 order by x.id
with a as (select distinct k from t) select (select count(*) from a), (select max(k) from a)
with c as (select 1) select * from c
with c as (select id from t order by id desc limit 2) select * from c, c d order by all
select x from (values (1), (2), (NULL)) v(x) where x is not null
select * from (values (1, 'a'), (2.5, 'b')) v where col0 > 1
select a.x, b.y from (values (1), (2)) a(x) left join (values (2, 'q')) b(x, y) on a.x = b.x
select (values (1))
"""

NEVER = """
select * from (select count(*) as n from t) z where 1 = 0
select count(*) from t having 1 = 0
select count(*) from t having 1 = 1
select * from (select max(k) as n from t) z where n is distinct from n
select * from (select max(k) as n from t) z where false
select id from t where false
select t.id, u.name from t left join u on false
select t.id, u.name from t left join u on 1 = 0 where t.id > 3
select id from t where exists (select 1 from u where false)
select id from t where exists (select max(k) from u where false)
select 1 where false
select 1 where 1 = 1
select count(*) where false
select sum(1) from (select 1) where false
select id from t where exists (select 1 from u where t.k > 15)
select id from t where not exists (select 1 from u where t.k > 15)
select id from t where k in (select k from u where t.id > 2)
select k, count(*) from t group by k having false
select k, count(*) from t group by rollup (k) having 1 = 0
select t.id from t join u on t.k is not distinct from u.k join w on w.id = t.id
select a.id from t a, u b, w c where a.k is not distinct from b.k and b.id is not distinct from c.id and a.id = c.id
select count(*) from t where k is not distinct from null
select count(*) from t where k is distinct from 10
"""

BARRIERS = """
select * from (select count(*) as n, 5 as x from t) z where x = 6
select * from (select sum(id) as n, 5 as x from t) z where x is null
select n, y from (select n, 5 as y from (select count(*) as n from t) p) z where y = 6 or y is null
select sum(id) from t group by rollup (k)
select count(*) from (select k, sum(id) from t group by rollup (k))
select count(*) from t group by cube (k, s)
select * from (select k, 5 as x, count(*) from t group by rollup (k)) where x = 6
select 5 as x from e group by rollup (k)
select id from t where exists (select k from e group by rollup (k))
select id from t where id in (select max(id) from t group by rollup (k))
select s, k, sum(id), grouping(s), sum(sum(id)) over (partition by grouping(s)) from t group by rollup (s, k) having sum(id) > 2 qualify row_number() over (order by s, k, sum(id)) < 9
select distinct on (s) s, k, sum(id) as n from t group by cube (s, k) order by s, n desc, k
select s, (select max(name) from u where u.k = q.k) from (select s, k from t group by rollup (s, k)) q
select x.k, y.n from (select k, count(*) as n from t group by rollup (k)) x join (select count(*) as n from t) y on x.n < y.n
with c as (select k, s, count(*) as n from t group by cube (k, s)) select a.k, b.n from c a join c b on a.k = b.k and a.s is null order by all
select 5 in (select 5 from t having count(*) > 100) from u
select case when k > 10 then 'x' end as g, count(*) from t group by rollup (g) order by all
select k as a, count(*) filter (where s = 'b'), max(s) from t where id > 1 group by grouping sets ((a), ()) order by all
select count(*) from (select count(*) from t offset 1)
select count(*) from (select sum(id) from t limit 5) q
select z.x2 from (select count(*) as x1, 5 as x2 from t) z where z.x2 = null
select x1 from (select x1, 7 as x2 from (select count(*) as x1 from w) p) z where x2 < (select max(k) from t where k < 5)
"""

STATEMENTS = {
    "joins": JOINS.strip().splitlines(),
    "subqueries": SUBQUERIES.strip().splitlines(),
    "sets": SETS.strip().splitlines(),
    "ctes": CTES.strip().splitlines(),
    "never": NEVER.strip().splitlines(),
    "barriers": BARRIERS.strip().splitlines(),
}
