import type { RelationRole } from '../facts/facts.ts';
import type { Write } from './effects.ts';

/** What policy calls that which is done to a relation. */
export const ACTIONS: Readonly<Record<RelationRole, string>> = {
  read: 'sql.select',
  insert: 'sql.insert',
  update: 'sql.update',
  delete: 'sql.delete',
  merge: 'sql.merge',
  truncate: 'sql.truncate',
  lock: 'sql.lock',
  'copy-in': 'sql.copy-in',
  'copy-out': 'sql.copy-out',
  create: 'sql.create',
  'create-from': 'sql.create',
  alter: 'sql.alter',
  drop: 'sql.drop',
  grant: 'sql.grant',
  comment: 'sql.comment',
  maintain: 'sql.maintain',
};

/** Writes by role; COPY FROM inserts. */
export const WRITES: Readonly<Partial<Record<RelationRole, Write>>> = {
  insert: 'insert',
  update: 'update',
  delete: 'delete',
  truncate: 'truncate',
  'copy-in': 'insert',
};

export const WRITING: ReadonlySet<RelationRole> = new Set(Object.keys(WRITES) as RelationRole[]);
/** Roles in which a relation's rows are looked at. */
export const READS: ReadonlySet<RelationRole> = new Set<RelationRole>(['read', 'copy-out', 'maintain']);
/** They may evaluate what is stored about a relation, for all its rows. */
export const MAINTAINS: ReadonlySet<RelationRole> = new Set<RelationRole>(['maintain', 'alter']);
