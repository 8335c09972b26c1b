import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pgEnv, type Tunnel } from '../support/stack.ts';
import type { Place } from './peers.ts';

const run = promisify(execFile);

/** A structure file as pg_dump and frameworks write it: some 2,700 statements, each thing before what is added to it. */
export function structure(tables: number): string {
  const names = Array.from({ length: tables }, (_, i) => `item_${String(i).padStart(3, '0')}`);
  const statements = [
    `CREATE FUNCTION structure.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END'`,
    ...names.flatMap(table),
    ...names.flatMap(constraints),
    ...names.flatMap((name, i) => references(name, names[(i * 7 + 1) % tables] ?? name)),
    ...names.filter((_, i) => i % 5 === 0).map(view),
  ];
  return statements.map((one) => `${one};\n`).join('\n');
}

function table(name: string, index: number): string[] {
  const kind =
    index % 10 === 0 ? [`CREATE TYPE structure.${name}_state AS ENUM ('new', 'open', 'done')`] : [];
  const state = index % 10 === 0 ? `structure.${name}_state` : 'character varying(20)';
  return [
    ...kind,
    `CREATE TABLE structure.${name} (
    id bigint NOT NULL,
    name character varying(255) DEFAULT ''::character varying NOT NULL,
    state ${state},
    owner_id bigint,
    amount numeric(12,2) DEFAULT 0.0,
    details jsonb DEFAULT '{}'::jsonb,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone
)`,
    `CREATE SEQUENCE structure.${name}_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1`,
    `ALTER SEQUENCE structure.${name}_id_seq OWNED BY structure.${name}.id`,
    `COMMENT ON TABLE structure.${name} IS 'things of kind ${index}'`,
  ];
}

function constraints(name: string): string[] {
  return [
    `ALTER TABLE ONLY structure.${name} ALTER COLUMN id SET DEFAULT nextval('structure.${name}_id_seq'::regclass)`,
    `ALTER TABLE ONLY structure.${name} ADD CONSTRAINT ${name}_pkey PRIMARY KEY (id)`,
    `CREATE UNIQUE INDEX index_${name}_on_name ON structure.${name} USING btree (lower((name)::text), owner_id)`,
    `CREATE INDEX index_${name}_on_created_at ON structure.${name} USING btree (created_at) WHERE (state IS NOT NULL)`,
  ];
}

function references(name: string, other: string): string[] {
  return [
    `ALTER TABLE ONLY structure.${name} ADD CONSTRAINT fk_${name}_owner FOREIGN KEY (owner_id) REFERENCES structure.${other}(id) ON DELETE CASCADE`,
    `CREATE TRIGGER touch_${name} BEFORE UPDATE ON structure.${name} FOR EACH ROW EXECUTE FUNCTION structure.touch()`,
  ];
}

function view(name: string): string {
  return `CREATE VIEW structure.${name}_summary AS
 SELECT t.state, count(*) AS number, sum(t.amount) AS amount FROM structure.${name} t WHERE (t.updated_at IS NOT NULL) GROUP BY t.state`;
}

/** Milliseconds that one psql takes for a structure file, after what an earlier one left was dropped directly. */
export async function structureMs(
  at: Place | Tunnel,
  direct: Place,
  directory: string,
  text: string,
): Promise<number> {
  const file = join(directory, 'structure.sql');
  writeFileSync(file, text);
  const psql = (where: Place | Tunnel, ...args: string[]) =>
    run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...args], { env: pgEnv(where), maxBuffer: 1 << 24 });
  await psql(direct, '-c', 'DROP SCHEMA IF EXISTS structure CASCADE; CREATE SCHEMA structure');
  const startedAt = process.hrtime.bigint();
  await psql(at, '-f', file);
  const spent = Number(process.hrtime.bigint() - startedAt) / 1e6;
  rmSync(file);
  return spent;
}
