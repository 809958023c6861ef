"""Statements about values, groups and windows that other engines run: each has to give DuckDB's own answer when it is lowered."""

from __future__ import annotations

WINDOWS = """
select id, row_number() over (partition by k order by id) as n from t
select id, sum(id) over (partition by k order by id) as n from t
select id, sum(id) over (order by id rows between 1 preceding and 1 following) as n from t
select id, sum(id) over (order by id range between 2 preceding and current row) as n from t
select id, sum(id) over (order by d range between interval 40 days preceding and current row) as n from t
select id, lag(id) over (order by id), lead(id, 2, -1) over (order by id), first_value(s) over (order by id), ntile(3) over (order by id) from t
select id, rank() over (order by k), dense_rank() over (order by k desc) from t
select id, sum(id) over () as n, count(*) over (partition by s) from t
select k, sum(sum(id)) over (order by k) from t group by k
select k, rank() over (order by sum(id) desc) from t group by k
select id from t qualify row_number() over (partition by k order by id) = 1
select id, row_number() over (partition by k order by id) as n from t qualify n = 1 order by id
select k, sum(id) as x from t group by k qualify row_number() over (order by x desc) <= 2
select id, last_value(s ignore nulls) over (order by id) from t
select id, sum(id) filter (where b) over (order by id) from t
select id, count(distinct k) over (partition by s) from t
select m * 1.1, m + 1, m / 3, m::integer, sum(m) over () from t
select id from (select *, row_number() over (order by id) as rn from t) where rn between 2 and 4
select max(rn) from (select row_number() over (partition by k order by id) as rn from t)
select * from (select id, row_number() over (order by id) as rn from t limit 3) where rn > 1
select k as id from t where id > 3 qualify row_number() over (order by id) < 3
select id, sum(id) over (order by id) as c, c * 2 as d from t
select min(k) over (partition by s order by id rows between unbounded preceding and 1 preceding) from t
select id, sum(k) over w as a, count(*) over w as b from t window w as (partition by s order by id)
select id, percent_rank() over (order by k), cume_dist() over (order by k), nth_value(s, 2) over (order by id) from t
select id, max(d) over (order by id groups between 1 preceding and current row) from t
select id, count(*) over (partition by k), max(id) over (partition by k) from t order by id
select k, count(*) as n, sum(count(*)) over () as total, count(*) * 100.0 / sum(count(*)) over () as share from t group by k
select s, sum(id) as n, rank() over (order by sum(id) desc) from t group by rollup (s)
select distinct s, count(*) over (partition by s) from t
select time_bucket(interval '1 day', a), epoch_ms(a), a - lag(a) over (order by id) from ts
"""

GROUPS = """
select k, sum(id), count(*), avg(f), min(s), max(d) from t group by k
select k+1 as x, sum(id) from t group by k+1
select k+1 as x, (k+1)*2 as y, sum(id) from t group by x
select k, s, sum(m) from t group by all
select k % 3 as r, count(*) from t group by 1 order by 1
select s, count(distinct k), count(k), count(*) from t group by s
select s, sum(distinct k) from t group by s
select count(*) filter (where k > 10), sum(id) filter (where b) from t
select count(*), sum(id), max(s) from e
select k, count(*) from e group by k
select k, count(*) as n from t group by k having n > 1
select k, count(*) as n from t group by k having count(*) > 1 and sum(id) > 3
select sum(id) from t having sum(id) > 100
select sum(id) from t having sum(id) > 10
select k, s, sum(id) from t group by rollup (k, s)
select k, s, sum(id), grouping(k), grouping(k, s) from t group by cube (k, s)
select k, s, sum(id) from t group by grouping sets ((k), (s), ())
select k, sum(id) from t group by rollup (k) having sum(id) > 5
select k, count(*) from e group by rollup (k)
select st.x, count(*) from t group by st.x
select sum(m), avg(m), min(m), sum(m * m) from t
select date_trunc('day', z) as g, count(*) from ts group by g
select f, count(*) from t group by f
select string_agg(s, ',' order by id), list(id order by id desc) from t
select first(s order by id) from t
select arg_max(s, id), arg_min(id, m), any_value(b is null) from t
select median(id), quantile_cont(id, 0.25), quantile_disc(id, [0.1, 0.9]), mode(k) from t where k = 10
select percentile_cont(0.5) within group (order by id), percentile_disc(0.3) within group (order by id desc) from t
select stddev(id), var_pop(id), corr(id, k), bool_and(b), bit_or(id), product(id), regr_count(k, id), count_if(k > 10) from t
select approx_count_distinct(k), entropy(k), histogram(k), skewness(id) from t
select count(*) from t where k > 10
select max(id) from t where false
select sum(case when s = 'a' then 1 else 0 end) * 100.0 / count(*) from t
select t.k from t group by t.k order by count(*) desc, t.k
select s, max(id) from t group by s order by max(id) desc limit 2
select count(*) as id from t group by k order by id
select k as id, count(*) c from t group by k having id > 10
select max(k) as k, count(*) from t group by s order by k
select s, max(k) as m from t group by s having m > 10 order by m desc
select count(*) as n, n + 1 as o from t
select k, first(s order by id), last(s order by id), list(s order by id desc nulls first)[1] from t group by k
select list(distinct k order by k) from t
select string_agg(distinct s, ',' order by s) from t
select k, arg_min(s, id), max_by(s, id) from t group by k
select sum(id) filter (where k > 10), count(*) filter (k is null), avg(k) filter (where s = 'zzz') from t
select s, sum(k) filter (where b) from t group by s having count(*) filter (where b) > 0
select s, k, sum(id), grouping(s, k) as g from t group by cube (s, k) order by g, s, k
select s, sum(id) from t group by rollup (s) order by grouping(s), s
select s, count(*) from t group by grouping sets ((s), ()) having grouping(s) = 1 or s = 'a'
select s, k, max(id) from t where id < 6 group by rollup (s, k) order by s nulls first, k nulls first, 3
select s || 'x' as y, count(*) from t group by rollup (y) order by y
select date_trunc('month', d) as mo, s, sum(m) from t group by grouping sets ((mo), (mo, s)) order by all
select k from t group by k order by k nulls first
select count(distinct st) from t
select st, count(*) from t group by st
select st.x + 1 as y, sum(id) from t group by y having y > 1
select l, count(*) from t group by l
select list_sum(list_transform(l, lambda e: e * k)) from t
select count(*), count(b), sum(b::int) from t where b or not b
select s is null, count(*) from t group by s is null
select k > 10 as g, count(*) from t group by g
select min(d), max(d), min(b), max(s), min(l) from t
select sum(k::hugeint), sum(id::bigint), sum(f) from t where f <> 'nan'::double
select avg(d::timestamp), median(d) from t
select bit_and(id), bit_xor(id), bool_or(b), kurtosis(id), mad(id) from t
select sum(k) / count(*) as a, sum(k) * 1.0 / count(k) as b from t
select -sum(id), +sum(id), not bool_and(b), sum(id) between 1 and 100, sum(id) in (28) from t
select case when count(*) > 3 then 'many' else 'few' end from t
select coalesce(sum(k), 0) + coalesce(max(id), 0) from e
select count(*) from t having count(*) > 100
select 'x' as c, count(*) from t group by 'x'
select 'x' as c, count(*) from e group by c
select 1 as a, 2 as b, count(*) from t group by all
select max(id) as m from t group by ()
select id from t group by id, id, k having max(k) > 5
select k + id as z from t group by k + id order by k + id
select k, k from t group by k
select k as a, a + 1 as b, sum(id) from t group by a, b
"""

REST = """
select * from t
from t
from t select id, k where k > 10
select id, k+1 as kk, kk*2 as kkk from t
select distinct k from t
select distinct k, s from t order by k, s
select distinct on (k) k, id from t order by k, id desc
select distinct on (k) k, id, s from t order by k desc, id
select 1 as a, 'x' as b
select 1
select id from t order by k desc nulls first, id limit 3 offset 1
select id from t order by k, id
select id from t order by -id
select id, s from t order by all
select id as k, k as x from t order by k
select id from t order by s desc, id limit 4
select t.* from t where id < 3
select * exclude (k, s) from t
select * replace (id * 2 as id) from t
select * rename (id as identifier) from t
select "Col A", "sel""ect" from "Odd Name" where "GROUP" = 'x'
select "col a" + "SEL""ECT" as "a b" from "odd name"
select ID, T.K from T where S = 'a'
select st.x, st['y'], t.st.x + 1 as z from t
select list_transform(l, lambda x: x + id) as a, list_filter(l, lambda x: x > 1) as b, l[1] as c, len(l) from t
select [x * 2 for x in l if x > 1] from t
select {'a': id, 'b': s} as r, [id, k] as q from t
select d + interval 1 month, d + 1, d - date '2020-01-01', date_trunc('month', d), extract(year from d), strftime(d, '%Y-%m') from t
select a, a + i, date_trunc('hour', a), z, z::date, extract(hour from z), z at time zone 'UTC', a::timestamptz from ts
select id from ts where z > timestamptz '2020-06-01 12:00:00+02'
select id from t where s like 'a%' or s ilike 'c' and not s similar to 'x'
select id from t where k between 10 and 20
select id from t where k not between 10 and 20
select id from t where k in (10, 30) and s not in ('a', 'b')
select id from t where k not in (10, NULL)
select id from t where b
select id from t where not b
select id from t where b is true
select id from t where b is not true
select id, b and k > 10, b or k > 10 from t
select id from t where f = 'nan'::double
select id from t where f = 0
select coalesce(k, 0) as c, nullif(k, 10), if(k > 10, 'x', 'y'), case k when 10 then 'ten' when 20 then 'twenty' end, greatest(k, id) from t
select id, now() > timestamp '2000-01-01' as x, current_date > date '2000-01-01' as y from t
select id from t limit 3
select 1 from t
select * from t where false
select * from t where 1 = 0
select id from t where null
select distinct s from t order by s limit 2
select id as a from t order by a + 1 desc
select k as id from t order by id
select k as id from t order by id + 0
select k as id, id as z from t order by z
select id from t where case when k = 10 then b else s = 'b' end
select id from t limit 0
select id from t where id > 3 limit 0 offset 1
select k as id from t where id > 3
select k + 1 as z from t where z > 11
select id, k as id2, id2 + 1 as n, n * 2 as m from t where m > 25
select distinct on (s) s, k, id from t where k is not null order by s, k desc, id desc limit 2
select distinct k from t order by k limit 2 offset 1
select distinct id % 2 as r, s from t order by s, r
select st from t where st.x = 1
select id from t where list_contains(l, 2) or 4 in l
select list_reduce(l, lambda a, b: a + b) from t where len(l) > 0
select list_filter(l, lambda x, i: i > 1) from t
select map([s], [id]) from t
select cast(id as varchar) || '-' || s from t
select s[1], s[1:1], array_slice(l, 1, 2), l[-1] from t
select try_cast(s as integer), s::varchar, id::decimal(10,3), '2020-01-01'::date from t
select id::tinyint + 100::tinyint from t where id < 3
select 5 / 2, 5 // 2, 5 % 2, 2 ** 3, -5 // 2, 1.0 / 3, 7.5::decimal(4,2) / 2 from t limit 1
select m::double, round(m, 1), floor(f), abs(m), sign(m) from t where f = f
select date_diff('day', d, date '2021-01-01'), d::timestamp, make_date(2020, 1, id), last_day(d), d - interval '1 year' from t
select interval '1' day * id, to_days(id), age(d, date '2019-01-01') from t
select z, z + interval 1 month, date_part('hour', z), z::varchar, strftime(z, '%H') from ts
select id from t where (id, s) = (1, 'a')
select id from t where (id, s) in ((1, 'a'), (2, 'b'))
select row(id, s), (id, s) from t
select id from t where true
select id from t where k = k
select id from t where not k = k
select id from t where k <> 10 or k is null
select id from t where not (k > 10 and s = 'b')
select id from t where b = true and b
select id from t where (k > 10) = b
select id from t where (k > 10) is null
select t.st.x from t
select id::integer as i from t order by i % 3, i desc
table t
"""

STATEMENTS = {
    "windows": WINDOWS.strip().splitlines(),
    "groups": GROUPS.strip().splitlines(),
    "rest": REST.strip().splitlines(),
}
