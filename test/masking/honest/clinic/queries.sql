-- What a clinic asks of its own: types, functions, aggregates and rows of users; patients' and doctors' contacts are masked.
select id, name from clinic.person order by id limit 5
-- masks: email, phone
select id, email, phone from clinic.person order by id limit 5
-- masks: email, phone
select * from clinic.people order by id limit 3
select name, tags, attrs->'k1' from clinic.patient order by id limit 5
-- masks: ssn
select p.name, p.ssn, v.at from clinic.patient p join clinic.visit v on v.patient=p.id order by v.at limit 5
select ward, count(*) from clinic.patient group by ward order by ward
select ward, count(*) filter (where blood='A') from clinic.patient group by rollup(ward) order by 1 nulls last
select sev, avg(minutes)::numeric(8,2), percentile_cont(0.5) within group (order by minutes) from clinic.visit group by sev order by sev
select sev, max(temp::float8) from clinic.visit group by sev order by sev
select sqrt(temp) from clinic.visit order by id limit 4
select temp + 1.5::float8 from clinic.visit order by id limit 3
select name, clinic.label(patient) from clinic.patient order by id limit 3
select clinic.label(p) from clinic.patient p where ward=2 order by p.id
select * from clinic.busy(10) order by 1
select b.doctor, d.name, b.n from clinic.busy() b join clinic.doctor d on d.id=b.doctor order by b.n desc, d.name
select clinic.gross(cost, 0.1, 0.05) from clinic.visit order by id limit 3
select clinic.product(n::numeric) from generate_series(1,6) n
select cost operator(clinic.<=>) cost_tax from clinic.visit order by id limit 3
select clinic.first_of(tags) from clinic.patient order by id limit 4
select * from clinic.patient_load order by visits desc, id limit 5
select id, name, last_visit from clinic.doctor_card order by id
-- masks: phone
select * from clinic.doctor_card order by id
select * from billing.monthly order by month
select (total).amount, (total).currency from billing.invoice order by id limit 3
select total from billing.invoice order by id limit 3
-- masks: iban
select id, iban from billing.invoice order by id limit 3
select l->>'sku' as sku, sum((l->>'n')::int) from billing.invoice, jsonb_array_elements(lines) l group by 1 order by 1
select x.* from billing.invoice i, jsonb_to_recordset(i.lines) as x(sku text, n int) order by i.id, n limit 5
select id, xpath('/d/l/text()', doc) from billing.invoice order by id limit 2
select x.n, x.l from billing.invoice i, xmltable('/d' passing i.doc columns n int path '@n', l text path 'l') x order by n limit 3
select jsonb_path_query(lines, '$[*] ? (@.n > 98).sku') from billing.invoice order by 1
select note->'b'->0, note#>>'{b,1}' from clinic.patient order by id limit 3
select note['a'] from clinic.patient order by id limit 3
select id from clinic.patient where note @> '{"a": 5}'
select name from clinic.doctor where speciality <@ 'med.surg' order by name
select subpath(speciality,0,2), count(*) from clinic.doctor group by 1 order by 1
select name, office <-> cube(array[0,0]) as far from clinic.doctor order by far limit 3
select similarity(name,'Pat 1') from clinic.patient order by id limit 3
select name from clinic.patient where name % 'Pat 11' order by name
select levenshtein(name,'Pat 9') from clinic.patient order by id limit 2
select unaccent(name) from clinic.doctor order by id limit 2
select * from crosstab('select ward, blood, count(*) from clinic.patient group by 1,2 order by 1,2') as t(ward int, a bigint, b bigint)
select skeys(attrs), svals(attrs) from clinic.patient order by 1,2 limit 5
select akeys(attrs) from clinic.patient order by id limit 2
select each(attrs) from clinic.patient order by id limit 2
select array_agg(distinct t order by t) from clinic.patient, unnest(tags) t
select t, n from clinic.patient p cross join lateral unnest(p.tags) with ordinality u(t,n) order by p.id, n limit 4
select array[1,2,3] && array[3], array[1,2]::int[] @@ '1&2'::query_int
select uuid_nil(), encode(digest('a','sha256'),'hex')
select isbn('978-0-393-04002-9')
select earth_distance(ll_to_earth(0,0), ll_to_earth(0,1))::int
select '1..3'::seg && '2..4'::seg
select count(*) from clinic.visit where during @> timestamptz '2024-03-01 12:00+00'
select range_agg(during) is not null from clinic.visit
select date_trunc('month',at) m, count(*), sum(count(*)) over (order by date_trunc('month',at)) from clinic.visit group by 1 order by 1
select id, lag(cost) over w, lead(cost) over w, row_number() over w from clinic.visit window w as (partition by patient order by at) order by id limit 6
select patient, at, first_value(diag) over (partition by patient order by at rows between 1 preceding and current row) from clinic.visit order by patient, at limit 5
with recursive t(n) as (values (1) union all select n+1 from t where n<10) select sum(n) from t
with recursive tree as (select id, speciality, 1 as depth from clinic.doctor where id=61 union all select d.id, d.speciality, depth+1 from clinic.doctor d join tree on d.id=tree.id+1) select * from tree order by id
with v as materialized (select * from clinic.visit where minutes>40) select d.name, count(*) from v join clinic.doctor d on d.id=v.doctor group by d.name order by 1
select name from clinic.patient p where exists (select 1 from clinic.visit v where v.patient=p.id and v.sev='high') order by name limit 5
select name, (select count(*) from clinic.visit v where v.patient=p.id) from clinic.patient p order by id limit 5
select name from clinic.doctor where id in (select doctor from clinic.visit group by doctor having sum(cost)>1000) order by 1
select id from clinic.person except select id from clinic.patient order by 1
select 'p' as k, id, name from clinic.patient union all select 'd', id, name from clinic.doctor order by 2 limit 5
-- masks: email
select email from clinic.patient union all select email from clinic.doctor
select coalesce(v.diag,'none'), p.name from clinic.patient p left join clinic.visit v on v.patient=p.id and v.minutes>55 order by p.id, v.id limit 5
select grouping(sev), sev, extract(year from at) y, count(*) from clinic.visit group by cube(sev, 3) order by 1,2,3,4
select distinct on (patient) patient, at, cost from clinic.visit order by patient, at desc limit 5
select case when cost>50 then 'dear' else 'cheap' end c, count(*) from clinic.visit group by c order by c
select tableoid::regclass, count(*) from clinic.visit group by 1 order by 1
select tableoid::regclass::text, id, name from clinic.person order by id limit 3
select * from only clinic.person
select v.* from clinic.visit_24 v order by id limit 2
select to_char(at,'YYYY-MM'), string_agg(distinct diag, ',' order by diag) from clinic.visit group by 1 order by 1 limit 3
select json_agg(row_to_json(t)) from (select id,name from clinic.doctor order by id limit 2) t
select jsonb_object_agg(id,name) from clinic.doctor
select row(id,name) from clinic.doctor order by id limit 1
select (d).name from (select d from clinic.doctor d order by id limit 2) x
select to_jsonb(m) from billing.monthly m order by month limit 1
select name, zip from clinic.person where zip='20001' order by id
select zip::int+1 from clinic.patient order by id limit 2
select clinic.age(date '1980-05-05')
select text_to_zip(5)
-- masks: email
select p.id, p.name, p.email, clinic.gross(v.cost,0.2) as gross from clinic.patient p, lateral (select cost from clinic.visit where patient=p.id order by at limit 1) v order by p.id limit 3
-- masks: salary
select d.name, d.salary from clinic.doctor d order by d.name
-- masks: pay
select d.name, (select salary from clinic.doctor x where x.id=d.id) as pay from clinic.doctor d order by d.id
-- masks: email
with c as (select id, email from clinic.person) select c.email, v.cost from c join clinic.visit v on v.patient=c.id order by v.id limit 4
-- masks: email
select x.email from (select email, row_number() over (order by id) rn from clinic.person) x where rn<4 order by rn
select array_agg(name order by id) from clinic.doctor
select count(*) from clinic.patient p join billing.invoice i on i.patient=p.id where i.paid
-- masks: email, phone, ssn
select p.* from clinic.patient p order by id limit 2
select ctid, xmin is not null from clinic.doctor order by id limit 2
select pg_typeof(total), pg_typeof(lines) from billing.invoice limit 1
select relname, reltuples>=0 from pg_class where relnamespace='clinic'::regnamespace order by 1
select column_name, data_type from information_schema.columns where table_schema='billing' order by 1
select pg_get_indexdef(indexrelid) from pg_index where indrelid='clinic.visit'::regclass
select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace='clinic'::regnamespace order by 1
select proname, pg_get_function_arguments(oid), pg_get_function_result(oid) from pg_proc where pronamespace='clinic'::regnamespace order by 1
select typname, enumlabel from pg_enum e join pg_type t on t.oid=enumtypid order by enumsortorder
select obj_description('clinic.visit'::regclass), col_description('clinic.visit'::regclass,1)
select current_user, current_database(), version() is not null
show search_path
explain (costs off) select name from clinic.patient where ward=1
select format('%s-%s', id, name) from clinic.doctor order by id limit 2
select regexp_replace(diag,'\D','','g'), regexp_matches(diag,'\d') from clinic.visit order by id limit 2
select generate_series(date '2024-01-01', date '2024-03-01', interval '1 month')::date
select width_bucket(cost,0,120,6) b, count(*) from clinic.visit group by b order by b
select corr(minutes,cost)::numeric(6,4), regr_slope(cost,minutes)::numeric(6,4) from clinic.visit
select mode() within group (order by diag) from clinic.visit
select rank('mid'::clinic.severity) within group (order by sev) from clinic.visit
select bool_or(paid), every(paid) from billing.invoice
select min(issued), max(issued)-min(issued) from billing.invoice
select at at time zone 'UTC', at::date, extract(dow from at) from clinic.visit order by id limit 2
select a.name, b.name from clinic.doctor a join clinic.doctor b on a.id<b.id and nlevel(a.speciality)=nlevel(b.speciality) order by 1,2 limit 3
select name from clinic.doctor natural join (values (61),(62)) as k(id) order by 1
-- masks: phone
select * from clinic.doctor_card join clinic.busy() b on b.doctor=doctor_card.id order by id limit 2
select id, name from clinic.patient tablesample system (100) order by id limit 2
select * from (values (1,'a'),(2,'b')) v(n,t) order by n
table billing.monthly
select greatest(cost,50), least(minutes,20), nullif(diag,'diag 1') from clinic.visit order by id limit 3
select overlay(name placing 'XX' from 1 for 2), position('a' in name), substring(name from '\d+') from clinic.patient order by id limit 2
select name collate "C" from clinic.doctor order by name collate "C" limit 2
select id, sum(cost) over (order by at range between interval '7 days' preceding and current row) from clinic.visit order by id limit 3
select exists(select from clinic.visit where sev='low'), not exists(select 1 from billing.invoice where total is null)
select any_ok from (select 5 = any(array_agg(ward)) any_ok from clinic.patient) q
select lo.n from lateral (select count(*) n from clinic.visit) lo
select i.id, i.lines->0->>'sku' from billing.invoice i where i.lines @? '$[*] ? (@.sku == "s1")' order by 1 limit 3
select merge.sku from (select l.value->>'sku' sku from billing.invoice, jsonb_array_elements(lines) l) merge group by sku order by sku
-- masks: email
select (d).name, (d).email from (select d from clinic.doctor d order by id limit 2) x
-- masks: d
select x.d from (select d from clinic.doctor d order by id limit 2) x
select (x.d).id from (select d from clinic.doctor d) x order by (x.d).name limit 2
with c as (select p, v.at from clinic.patient p join clinic.visit v on v.patient=p.id) select (p).name, at from c order by at limit 3
-- masks: ssn
with c as (select p, v.at from clinic.patient p join clinic.visit v on v.patient=p.id) select (p).name, (p).ssn from c order by at limit 3
select (p).name from (select p from clinic.people p) q order by 1 limit 2
-- masks: d
select (select d from clinic.doctor d where id=61)
select (a.d).name, count(*) from (select d from clinic.doctor d) a join clinic.visit v on v.doctor=(a.d).id group by (a.d).name order by 1
select (i.total).amount from (select total from billing.invoice order by id limit 2) i
