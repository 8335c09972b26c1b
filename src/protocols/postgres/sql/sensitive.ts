import type { Relation } from './catalog-model.ts';

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
  'pg_stat_statements',
  'pg_stat_statements_info',
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

/** By name alone: `pg_stat_statements` lives in whatever schema its extension was put. */
export function isSensitive(relation: Pick<Relation, 'schema' | 'name'>): boolean {
  if (relation.schema.startsWith('pg_toast')) return true;
  if (relation.name === 'pg_stat_statements' || relation.name === 'pg_stat_statements_info') return true;
  return (
    (relation.schema === 'pg_catalog' || relation.schema === 'information_schema') && NAMES.has(relation.name)
  );
}
