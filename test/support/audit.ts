import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Actor, EventInput } from '../../src/audit/event.ts';
import { newSealKeyText, parseSealKey } from '../../src/audit/keys.ts';
import type { AuditLogOptions } from '../../src/audit/log.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type ChainReport, verifyChain, verifyLinks } from '../../src/core/evidence/audit-verify.ts';
import { silentLog } from '../../src/core/log.ts';
import { listChains, readChain } from '../../src/storage/chain-files.ts';

export const actor: Actor = {
  kind: 'agent',
  name: 'shop-copilot',
  person: 'dana@example.com',
  issuer: 'https://login.example.com',
  subject: 'dana',
  groups: ['ai-agents'],
  instance: 'ins_1',
  login: 'lgn_1',
  attested: { model: 'planner-2' },
  declared: {},
};

export function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'hoop-audit-'));
}

/** Options of an audit log with keys of its own. */
export function logOptions(dir: string, more: Partial<AuditLogOptions> = {}): AuditLogOptions {
  return {
    dir,
    instance: 'gw',
    durability: 'process',
    sealKey: parseSealKey(newSealKeyText()),
    signingKey: generateKeyPairSync('ed25519').privateKey,
    clock: systemClock,
    log: silentLog,
    ...more,
  };
}

export function decided(operation: string, more: Partial<EventInput> = {}): EventInput {
  return {
    type: 'operation.decided',
    actor,
    session: 'ses_1',
    resource: 'pg-prod',
    protocol: 'postgres',
    operation,
    text: 'select * from orders where id = ?',
    actions: ['sql.select'],
    objects: ['pg-prod/public.orders'],
    decision: 'allow',
    rules: [{ id: 'readers' }],
    policyVersion: '0123456789abcdef',
    original: { statement: 'select * from orders where id = 4711' },
    ...more,
  };
}

export function closed(operation: string, more: Partial<EventInput> = {}): EventInput {
  return {
    type: 'operation.closed',
    actor,
    session: 'ses_1',
    operation,
    outcome: 'success',
    rows: 1,
    ...more,
  };
}

/** The octets of a chain as they lie on disk. */
export async function chainBytes(dir: string, fileId: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChain(dir, fileId)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Every chain of a directory verified, with their links, oldest first. */
export async function verifyAll(dir: string, trustedKeys?: readonly string[]): Promise<ChainReport[]> {
  const reports: ChainReport[] = [];
  const options = trustedKeys === undefined ? {} : { trustedKeys };
  for (const { fileId } of listChains(dir)) reports.push(await verifyChain(readChain(dir, fileId), options));
  return verifyLinks(reports);
}
