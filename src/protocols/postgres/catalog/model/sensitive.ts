import type { Relation } from './model.ts';

/**
 * System relations that show other people's data: samples of column values, running statements with their literals,
 * prepared statements, large objects, credentials, server files.
 */
const NAMES: ReadonlySet<string> = new Set([
  'pg_stats',
  'pg_statistic',
  'pg_stats_ext',
  'pg_stats_ext_exprs',
  'pg_statistic_ext_data',
  'pg_stat_activity',
  'pg_prepared_statements',
  'pg_prepared_xacts',
  'pg_cursors',
  'pg_largeobject',
  'pg_authid',
  'pg_shadow',
  'pg_user_mapping',
  'pg_user_mappings',
  'pg_foreign_server',
  'pg_hba_file_rules',
  'pg_ident_file_mappings',
  'pg_file_settings',
  'pg_subscription',
  'pg_replication_origin_status',
  'pg_stat_replication',
  'pg_stat_wal_receiver',
  'pg_stat_ssl',
  // What one statement did to each partition and index.
  'pg_stat_xact_all_tables',
  'pg_stat_xact_sys_tables',
  'pg_stat_xact_user_tables',
  'pg_stat_gssapi',
  'pg_replication_slots',
  'pg_backend_memory_contexts',
  'pg_shmem_allocations',
  'pg_config',
  'pg_aios',
  'user_mapping_options',
  'user_mappings',
  'foreign_server_options',
]);

/** Views of extensions that keep statements or their constants, in whatever schema they were put. */
const ANYWHERE: ReadonlySet<string> = new Set([
  'pg_stat_statements',
  'pg_stat_statements_info',
  'pg_stat_monitor',
  'pg_store_plans',
  'pg_stat_plans',
  'pg_qualstats',
  'pg_qualstats_all',
  'pg_qualstats_pretty',
  'pg_qualstats_by_query',
]);

/** Whether a relation shows other people's data by its nature. */
export function isSensitive(relation: Pick<Relation, 'schema' | 'name'>): boolean {
  if (relation.schema.startsWith('pg_toast')) return true;
  if (ANYWHERE.has(relation.name)) return true;
  return (
    (relation.schema === 'pg_catalog' || relation.schema === 'information_schema') && NAMES.has(relation.name)
  );
}

const words = (list: string) => new Set(list.split(/\s+/));
/** Columns of such relations that show none of it; one that a later release adds is not among them. */
const HARMLESS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['pg_stats', words('schemaname tablename attname inherited')],
  [
    'pg_stat_activity',
    words(`datid datname pid leader_pid usesysid usename application_name client_addr client_hostname client_port backend_start
      xact_start query_start state_change wait_event_type wait_event state backend_xid backend_xmin query_id backend_type`),
  ],
  [
    'pg_stat_replication',
    words(`pid usesysid usename application_name client_addr client_hostname client_port backend_start backend_xmin state sent_lsn
      write_lsn flush_lsn replay_lsn write_lag flush_lag replay_lag sync_priority sync_state reply_time`),
  ],
  [
    'pg_replication_slots',
    words(`slot_name plugin slot_type datoid database temporary active active_pid xmin catalog_xmin restart_lsn
      confirmed_flush_lsn wal_status safe_wal_size two_phase two_phase_at inactive_since conflicting invalidation_reason failover
      synced`),
  ],
  ['pg_stat_ssl', words('pid ssl version cipher bits')],
  ['pg_stat_gssapi', words('pid gss_authenticated encrypted')],
  ['pg_prepared_statements', words('name prepare_time parameter_types from_sql generic_plans custom_plans')],
  ['pg_cursors', words('name is_holdable is_binary is_scrollable creation_time')],
  ['pg_foreign_server', words('oid srvname srvowner srvfdw srvtype srvversion srvacl')],
  ['pg_user_mapping', words('oid umuser umserver')],
  ['pg_user_mappings', words('umid srvid srvname umuser usename')],
  [
    'pg_subscription',
    words(`oid subdbid subskiplsn subname subowner subenabled subbinary substream subtwophasestate subdisableonerr
      subpasswordrequired subrunasowner subfailover subslotname subsynccommit subpublications suborigin`),
  ],
  [
    'pg_authid',
    words(`oid rolname rolsuper rolinherit rolcreaterole rolcreatedb rolcanlogin rolreplication rolbypassrls rolconnlimit
      rolvaliduntil`),
  ],
]);

/** Numbers of the columns by which a sensitive relation is so; undefined: nobody has looked at them, it is so as a whole. */
export function sensitiveColumns(
  relation: Pick<Relation, 'schema' | 'name' | 'columns'>,
): Set<number> | undefined {
  const harmless = relation.schema === 'pg_catalog' ? HARMLESS.get(relation.name) : undefined;
  if (harmless === undefined) return undefined;
  const columns = [...relation.columns.values()].filter(({ name }) => !harmless.has(name));
  return new Set(columns.map(({ attnum }) => attnum));
}
