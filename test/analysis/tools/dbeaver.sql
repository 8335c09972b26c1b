-- What DBeaver asks of a server, after its PostgreSQL plugin; written anew.
SELECT ns.oid, ns.*, note.description FROM pg_catalog.pg_namespace ns
  LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = ns.oid AND note.objsubid = 0 AND note.classoid = 'pg_namespace'::regclass
  ORDER BY nspname;
SELECT ns.oid, ns.*, note.description FROM pg_catalog.pg_namespace ns LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = ns.oid
  WHERE (nspname LIKE $1 OR nspname = $2) ORDER BY nspname;
SELECT base.oid, base.* FROM pg_catalog.pg_database base WHERE NOT datistemplate AND datallowconn ORDER BY base.datname;
SELECT base.oid, base.*, shared.description FROM pg_catalog.pg_database base
  LEFT JOIN pg_catalog.pg_shdescription shared ON shared.objoid = base.oid AND shared.classoid = 'pg_database'::regclass::oid WHERE datname = $1;
SELECT kind.oid, kind.*, rel.relkind, format_type(nullif(kind.typbasetype, 0), kind.typtypmod) AS base_type_name, note.description
  FROM pg_catalog.pg_type kind LEFT OUTER JOIN pg_catalog.pg_type element ON element.oid = kind.typelem
  LEFT OUTER JOIN pg_catalog.pg_class rel ON rel.oid = kind.typrelid LEFT OUTER JOIN pg_catalog.pg_description note ON kind.oid = note.objoid
  WHERE kind.typname IS NOT NULL AND (rel.relkind IS NULL OR rel.relkind = 'c') AND (element.typcategory IS NULL OR element.typcategory <> 'C')
  AND kind.typnamespace = $1;
SELECT kind.oid, kind.*, format_type(nullif(kind.typbasetype, 0), kind.typtypmod) AS base_type_name FROM pg_catalog.pg_type kind
  LEFT OUTER JOIN pg_class rel ON rel.oid = kind.typrelid WHERE kind.typname = $1;
SELECT label.oid, label.* FROM pg_catalog.pg_enum label WHERE label.enumtypid = $1 ORDER BY label.enumsortorder;
SELECT att.attname, att.*, pg_catalog.format_type(att.atttypid, att.atttypmod) FROM pg_catalog.pg_attribute att
  INNER JOIN pg_catalog.pg_type kind ON att.attrelid = kind.typrelid WHERE kind.oid = $1 AND att.attnum > 0 AND NOT att.attisdropped ORDER BY att.attnum;
SELECT rel.oid, rel.*, note.description, pg_catalog.pg_get_expr(rel.relpartbound, rel.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(rel.oid) AS partition_key,
  (SELECT array_agg(up.inhparent) FROM pg_catalog.pg_inherits up WHERE up.inhrelid = rel.oid) parents
  FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = rel.oid AND note.objsubid = 0 AND note.classoid = 'pg_class'::regclass
  WHERE rel.relnamespace = $1 AND rel.relkind NOT IN ('i', 'I', 'c');
SELECT rel.oid, rel.relname FROM pg_catalog.pg_class rel WHERE rel.relnamespace = $1 AND rel.relkind NOT IN ('i', 'c') AND relname = $2;
SELECT rel.relname, att.*, pg_catalog.pg_get_expr(def.adbin, def.adrelid, true) AS def_value, note.description, dep.objid
  FROM pg_catalog.pg_attribute att INNER JOIN pg_catalog.pg_class rel ON (att.attrelid = rel.oid)
  LEFT OUTER JOIN pg_catalog.pg_attrdef def ON (att.attrelid = def.adrelid AND att.attnum = def.adnum)
  LEFT OUTER JOIN pg_catalog.pg_description note ON (rel.oid = note.objoid AND att.attnum = note.objsubid)
  LEFT OUTER JOIN pg_depend dep ON dep.refobjid = att.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = att.attnum AND dep.classid = dep.refclassid
  WHERE NOT att.attisdropped AND att.attnum > 0 AND rel.oid = $1 ORDER BY att.attnum;
SELECT con.oid, con.*, pg_catalog.pg_get_constraintdef(con.oid, true), rel.relname AS tabrelname, other.relnamespace AS refnamespace, note.description
  FROM pg_catalog.pg_constraint con INNER JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
  LEFT OUTER JOIN pg_catalog.pg_class other ON other.oid = con.confrelid
  LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = con.oid AND note.objsubid = 0 AND note.classoid = 'pg_constraint'::regclass
  WHERE rel.relnamespace = $1 ORDER BY con.oid;
SELECT idx.*, idx.indkey AS keys, rel.relname, rel.relnamespace, rel.relam, rel.reltablespace, own.relname AS tabrelname, note.description,
  pg_catalog.pg_get_expr(idx.indpred, idx.indrelid) AS pred_expr, pg_catalog.pg_get_expr(idx.indexprs, idx.indrelid, true) AS expr,
  pg_catalog.pg_relation_size(idx.indexrelid) AS index_rel_size, pg_catalog.pg_stat_get_numscans(idx.indexrelid) AS index_num_scans
  FROM pg_catalog.pg_index idx INNER JOIN pg_catalog.pg_class rel ON rel.oid = idx.indexrelid INNER JOIN pg_catalog.pg_class own ON own.oid = idx.indrelid
  LEFT OUTER JOIN pg_catalog.pg_description note ON idx.indexrelid = note.objoid WHERE idx.indrelid = $1 ORDER BY tabrelname, rel.relname;
SELECT pg_catalog.pg_get_indexdef($1, $2, true);
SELECT pg_catalog.pg_get_indexdef($1);
SELECT fn.oid, fn.*, CASE WHEN fn.proretset THEN 'setof ' ELSE '' END || pg_catalog.format_type(fn.prorettype, NULL) AS result, note.description,
  pg_catalog.pg_get_expr(fn.proargdefaults, 0) AS defaults FROM pg_catalog.pg_proc fn
  LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = fn.oid LEFT OUTER JOIN pg_catalog.pg_aggregate agg ON agg.aggfnoid = fn.oid
  WHERE fn.pronamespace = $1 AND agg.aggfnoid IS NULL ORDER BY fn.proname;
SELECT pg_catalog.pg_get_functiondef($1);
SELECT a.oid, a.* FROM pg_catalog.pg_roles a ORDER BY a.rolname;
SELECT member.*, role.rolname FROM pg_catalog.pg_auth_members member INNER JOIN pg_catalog.pg_roles role ON role.oid = member.roleid WHERE member.member = $1;
SELECT am.oid, am.* FROM pg_catalog.pg_am am ORDER BY am.oid;
SELECT conv.conforencoding AS encid, pg_catalog.pg_encoding_to_char(conv.conforencoding) AS encname FROM pg_catalog.pg_conversion conv
  GROUP BY conv.conforencoding ORDER BY 2;
SELECT lang.oid, lang.* FROM pg_catalog.pg_language lang ORDER BY lang.oid;
SELECT coll.oid, coll.* FROM pg_catalog.pg_collation coll WHERE coll.collnamespace = $1 ORDER BY coll.oid;
SELECT wrapper.oid, wrapper.*, fn.pronamespace AS handler_schema_id FROM pg_catalog.pg_foreign_data_wrapper wrapper
  LEFT OUTER JOIN pg_catalog.pg_proc fn ON fn.oid = wrapper.fdwhandler ORDER BY wrapper.fdwname;
SELECT server.oid, server.* FROM pg_catalog.pg_foreign_server server ORDER BY server.srvname;
SELECT space.oid, space.*, pg_tablespace_location(space.oid) loc FROM pg_catalog.pg_tablespace space ORDER BY space.oid;
SELECT ext.oid, cfg.tbls, ns.nspname AS schema_name, ext.* FROM pg_catalog.pg_extension ext JOIN pg_namespace ns ON ns.oid = ext.extnamespace
  LEFT JOIN (SELECT named.oid, array_agg(named.place || '.' || named.relname) tbls FROM (
    SELECT one.oid, rel.relname, spc.nspname AS place FROM (SELECT e.oid, unnest(e.extconfig) oid_ext FROM pg_catalog.pg_extension e) one
    JOIN pg_class rel ON rel.oid = one.oid_ext JOIN pg_namespace spc ON spc.oid = rel.relnamespace) named GROUP BY named.oid) cfg ON cfg.oid = ext.oid;
SELECT name, default_version, installed_version, comment FROM pg_catalog.pg_available_extensions ORDER BY name;
SELECT trig.oid, trig.*, pg_catalog.pg_get_triggerdef(trig.oid) AS definition, note.description FROM pg_catalog.pg_trigger trig
  INNER JOIN pg_catalog.pg_class rel ON rel.oid = trig.tgrelid LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = trig.oid
  WHERE rel.oid = $1 AND NOT trig.tgisinternal;
SELECT ev.oid, ev.*, note.description FROM pg_catalog.pg_event_trigger ev LEFT OUTER JOIN pg_catalog.pg_description note ON note.objoid = ev.oid;
SELECT rule.oid, rule.*, pg_catalog.pg_get_ruledef(rule.oid) AS definition FROM pg_catalog.pg_rewrite rule WHERE rule.ev_class = $1 AND rule.rulename <> '_RETURN'::name;
SELECT pol.*, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) AS using_expr, pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid) AS check_expr,
  CASE WHEN pol.polroles = '{0}' THEN NULL ELSE array(SELECT rolname FROM pg_catalog.pg_roles WHERE oid = ANY (pol.polroles)) END AS roles
  FROM pg_catalog.pg_policy pol WHERE pol.polrelid = $1;
SELECT pg_catalog.pg_get_viewdef($1, true);
SELECT up.*, rel.relnamespace FROM pg_catalog.pg_inherits up, pg_catalog.pg_class rel WHERE up.inhrelid = $1 AND rel.oid = up.inhparent ORDER BY up.inhseqno;
SELECT rel.oid, rel.*, pg_catalog.pg_get_expr(rel.relpartbound, rel.oid) AS partition_expr FROM pg_catalog.pg_inherits down
  INNER JOIN pg_catalog.pg_class rel ON down.inhrelid = rel.oid WHERE down.inhparent = $1 AND rel.relkind <> 'I' ORDER BY rel.relname;
SELECT DISTINCT dep.deptype, dep.classid, dep.objid, dep.refobjid, rel.relkind, kind.relkind AS of_kind, fn.proname, att.attname,
  CASE WHEN rel.relkind IS NOT NULL THEN rel.relkind::text || coalesce(dep.objsubid::text, '') WHEN trig.oid IS NOT NULL THEN 'T'
    WHEN fn.oid IS NOT NULL THEN 'P' WHEN lang.oid IS NOT NULL THEN 'l' WHEN spc.oid IS NOT NULL THEN 'n' WHEN con.oid IS NOT NULL THEN 'C' || con.contype::text
    WHEN rule.oid IS NOT NULL THEN 'R' WHEN def.oid IS NOT NULL THEN 'A' ELSE '' END AS type
  FROM pg_catalog.pg_depend dep LEFT JOIN pg_class rel ON dep.objid = rel.oid LEFT JOIN pg_class kind ON dep.refobjid = kind.oid
  LEFT JOIN pg_proc fn ON dep.objid = fn.oid LEFT JOIN pg_trigger trig ON dep.objid = trig.oid LEFT JOIN pg_language lang ON dep.objid = lang.oid
  LEFT JOIN pg_namespace spc ON dep.objid = spc.oid LEFT JOIN pg_constraint con ON dep.objid = con.oid LEFT JOIN pg_rewrite rule ON dep.objid = rule.oid
  LEFT JOIN pg_attrdef def ON dep.objid = def.oid LEFT JOIN pg_attribute att ON att.attrelid = rel.oid AND att.attnum = dep.objsubid
  WHERE dep.refobjid = $1 ORDER BY type;
SELECT pg_catalog.pg_total_relation_size($1) AS total_rel_size, pg_catalog.pg_relation_size($1) AS rel_size;
SELECT rel.oid, pg_catalog.pg_total_relation_size(rel.oid) AS total_rel_size, pg_catalog.pg_relation_size(rel.oid) AS rel_size, stat.*
  FROM pg_class rel LEFT JOIN pg_catalog.pg_stat_all_tables stat ON stat.relid = rel.oid WHERE rel.relnamespace = $1 AND rel.relkind IN ('r', 'm');
SELECT rel.relname, rel.relacl, (aclexplode(coalesce(rel.relacl, acldefault('r', rel.relowner)))).* FROM pg_catalog.pg_class rel WHERE rel.oid = $1;
SELECT seq.*, pg_catalog.pg_sequence_last_value(seq.seqrelid) FROM pg_catalog.pg_sequence seq WHERE seq.seqrelid = $1;
SELECT public.orders_id_seq.last_value, is_called, increment_by, min_value, max_value FROM public.orders_id_seq, pg_catalog.pg_sequences WHERE sequencename = 'orders_id_seq';
SELECT act.*, host(act.client_addr) FROM pg_catalog.pg_stat_activity act WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY state_change;
SELECT waits.locktype, blocked.pid AS blocked_pid, blocked.usename AS blocked_user, holds.pid AS blocking_pid, holds.usename AS blocking_user,
  blocked.query AS blocked_statement, now() - blocked.query_start AS waiting FROM pg_catalog.pg_locks waits
  JOIN pg_catalog.pg_stat_activity blocked ON blocked.pid = waits.pid
  JOIN pg_catalog.pg_locks other ON other.locktype = waits.locktype AND other.database IS NOT DISTINCT FROM waits.database
    AND other.relation IS NOT DISTINCT FROM waits.relation AND other.page IS NOT DISTINCT FROM waits.page AND other.tuple IS NOT DISTINCT FROM waits.tuple
    AND other.virtualxid IS NOT DISTINCT FROM waits.virtualxid AND other.transactionid IS NOT DISTINCT FROM waits.transactionid
    AND other.classid IS NOT DISTINCT FROM waits.classid AND other.objid IS NOT DISTINCT FROM waits.objid AND other.pid <> waits.pid
  JOIN pg_catalog.pg_stat_activity holds ON holds.pid = other.pid WHERE NOT waits.granted;
SELECT DISTINCT found.oid, found.proname, found.pronamespace FROM pg_catalog.pg_proc found WHERE found.proname ILIKE $1 AND found.pronamespace IN ($2, $3)
  ORDER BY found.proname LIMIT 200;
SELECT found.attname, found.attrelid, found.atttypid, rel.relnamespace FROM pg_catalog.pg_attribute found, pg_catalog.pg_class rel
  WHERE rel.oid = found.attrelid AND found.attname LIKE $1 AND rel.relnamespace IN ($2) ORDER BY found.attname LIMIT 200;
SELECT found.oid, found.conname, found.connamespace FROM pg_catalog.pg_constraint found WHERE lower(found.conname) LIKE lower($1) ORDER BY found.conname LIMIT 200;
SELECT count(*) FROM pg_catalog.pg_attribute WHERE attrelid = 'pg_catalog.pg_type'::regclass AND attname = 'typcategory';
SELECT 1 FROM pg_catalog.pg_type LIMIT 0;
SELECT current_schema(), session_user;
SELECT setting.*, CASE WHEN setting.context IN ('internal', 'postmaster') THEN false ELSE true END AS changeable FROM pg_catalog.pg_settings setting ORDER BY name;
SELECT c.*, c.ctid FROM public.customers c WHERE name = $1 ORDER BY c.ctid LIMIT 200;
SELECT count(*) FROM (SELECT * FROM public.customers WHERE id > 0) dbvrcnt;
UPDATE public.customers SET name = $1 WHERE ctid = $2::tid;
