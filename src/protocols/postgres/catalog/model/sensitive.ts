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
  'pg_seclabels',
  'pg_stat_replication',
  'pg_stat_wal_receiver',
  'pg_stat_ssl',
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
