/** Statements about roles of sessions. Pure: whatever goes into a text is quoted here. */
import { quotedName } from '../../../core/quoted-name.ts';

/** From this version on a membership says by itself what may be done with it. */
const WITH_OPTIONS = 160_000;

interface NewRole {
  readonly name: string;
  /** Whose member it is. */
  readonly of: string;
  /** A SCRAM verifier: the password itself is in no statement, and so in no log of the server's. */
  readonly verifier: string;
  /** RFC 3339. */
  readonly until: string;
  readonly comment: string;
}

/**
 * One transaction: a role without its mark would be one that nobody clears up.
 *
 * The login that makes it becomes its member, without which it could neither end its connections nor clear up behind it.
 */
export function createRole({ name, of, verifier, until, comment }: NewRole, serverVersion: number): string {
  const [role, group] = [quotedName(name), quotedName(of)];
  const [whole, behind] =
    serverVersion >= WITH_OPTIONS
      ? [' WITH INHERIT TRUE, SET TRUE', ' WITH INHERIT TRUE, SET FALSE']
      : ['', ''];
  return [
    `CREATE ROLE ${role} LOGIN INHERIT CONNECTION LIMIT 1 VALID UNTIL ${literal(until)} PASSWORD ${literal(verifier)}`,
    `COMMENT ON ROLE ${role} IS ${literal(comment)}`,
    `GRANT ${group} TO ${role}${whole}`,
    `GRANT ${role} TO CURRENT_USER${behind}`,
  ].join(';\n');
}

/**
 * Asks for the configured role: whether our login may act as it, and the settings that its sessions begin with, those for this
 * database last. No row: there is no such role.
 */
export function askForGroup(name: string): string {
  const settings = `SELECT pg_catalog.unnest(s.setconfig) AS one, s.setdatabase FROM pg_catalog.pg_db_role_setting s
    WHERE s.setrole = r.oid AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
      WHERE d.datname = pg_catalog.current_database()))`;
  return `SELECT pg_catalog.pg_has_role(current_user, r.oid, 'USAGE'),
    (SELECT coalesce(pg_catalog.json_agg(x.one ORDER BY x.setdatabase), '[]') FROM (${settings}) x)
    FROM pg_catalog.pg_roles r WHERE r.rolname = ${literal(name)}`;
}

/** How many connections each of these roles has; there is no row for one that does not exist. */
export function askForConnections(names: readonly string[]): string {
  return `SELECT r.rolname, (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid)
    FROM pg_catalog.pg_roles r WHERE r.rolname IN (${names.map(literal).join(', ')})`;
}

export function endConnections(name: string): string {
  return `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
    JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid WHERE r.rolname = ${literal(name)}`;
}

/** One transaction. What it owns, having left its group's role, stays with the group. */
export function dropRole(name: string, group: string): string {
  const role = quotedName(name);
  return [
    `REASSIGN OWNED BY ${role} TO ${quotedName(group)}`,
    `DROP OWNED BY ${role}`,
    `DROP ROLE ${role}`,
  ].join(';\n');
}

/** Every role that may be one of hoopd's, that our login may act as, and its comment. */
export const ROLES_OF_SESSIONS = `SELECT r.rolname, c.description FROM pg_catalog.pg_roles r
  JOIN pg_catalog.pg_shdescription c ON c.objoid = r.oid AND c.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  WHERE pg_catalog.starts_with(r.rolname, 'hoop_') AND pg_catalog.pg_has_role(current_user, r.oid, 'USAGE')
  ORDER BY r.oid LIMIT 500`;

/** As the server reads it with `standard_conforming_strings`, which every connection of ours begins with. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
