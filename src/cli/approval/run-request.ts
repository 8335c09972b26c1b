import { createHash } from 'node:crypto';
import type { ApprovalItem } from '../../api/approvals.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import type { AheadQuestion } from '../../client/local/protocol.ts';
import { InstanceKey } from '../../client/login/dpop.ts';
import { type AskedAhead, AskedAheadStore } from '../../client/store/asked-ahead.ts';
import { configDir } from '../../client/store/private-files.ts';
import type { TunnelOptions } from '../../client/tunnel.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { askedOver, operationOf } from '../ahead.ts';
import { type Invocation, textOption } from '../command.ts';
import { CLIENTS, type KnownClients } from '../connect/clients/index.ts';
import { placeOf } from '../connect/plan.ts';
import { parseDuration } from '../parse.ts';
import { statusText } from '../render/approval.ts';
import { withGateway } from '../with-gateway.ts';
import { exitCodeOf, settled } from './settled.ts';

/** What is asked: an operation, or the connection alone. */
interface Wanted {
  readonly resource: string;
  readonly operation: AheadQuestion | undefined;
  readonly reason: string | undefined;
  /** The caller's own word for it. */
  readonly idempotencyKey: string | undefined;
  /** Which of many hosts behind the resource. */
  readonly place: { readonly place?: string };
  /** Of all this, and of as whom. */
  readonly digest: string;
}

/**
 * Asks ahead, and runs nothing.
 *
 * @param clients The protocols that can be asked in.
 * @returns 0 approved, or no approval is needed; 77 denied; 75 it waits, or is over.
 */
export async function runRequest(
  invocation: Invocation,
  clients: readonly KnownClients[] = CLIENTS,
): Promise<number> {
  const { io } = invocation;
  const wanted = await wantedOf(invocation);
  const untilMs = waitsUntil(invocation);
  const store = new AskedAheadStore(configDir(io.env));
  const { jwk, key } = await keyFor(invocation, store, wanted);
  return withGateway(
    invocation,
    async (gateway) => {
      const id = await ticketFor(gateway, wanted, clients);
      if (id === undefined) {
        if (io.json) await io.value({ resource: wanted.resource, needed: false });
        else await io.line('no approval is needed');
        return 0;
      }
      const asked = await gateway.api.approval(id);
      await store.keep({ id, question: wanted.digest, key: jwk, expiresAt: Date.parse(asked.expiresAt) });
      if (untilMs !== undefined && asked.status === 'pending') tellWaiting(invocation, asked);
      const item = untilMs === undefined ? asked : await settled(gateway.api, id, untilMs, systemClock);
      await tell(invocation, wanted, item);
      return exitCodeOf(item);
    },
    { key },
  );
}

async function wantedOf(invocation: Invocation): Promise<Wanted> {
  const { args, options, io } = invocation;
  const resource = args[0]!;
  const operation = await operationOf(invocation);
  const place = placeOf(invocation);
  const who = ['gateway', 'profile', 'agent', 'model', 'modelVersion', 'only', 'readOnly'];
  const as = [
    ...who.map((name) => options[name] ?? null),
    io.env['HOOPCTL_GATEWAY'],
    io.env['HOOPCTL_PROFILE'],
  ];
  const idempotencyKey = keyOption(invocation);
  // A key is one instance's: what is asked under it is asked as the same, or nobody would see that it is something else.
  const same =
    idempotencyKey === undefined
      ? [resource, operation, as, ...Object.values(place)]
      : ['key', idempotencyKey, as];
  const digest = createHash('sha256').update(JSON.stringify(same)).digest('hex');
  const reason = textOption(invocation, 'reason');
  return { resource, operation, reason, idempotencyKey, digest, place };
}

function keyOption(invocation: Invocation): string | undefined {
  const key = textOption(invocation, 'idempotencyKey');
  if (key === undefined || /^[ !#-[\]-~]{1,255}$/.test(key)) return key;
  throw new HoopError(
    'ERR_USAGE',
    '--idempotency-key takes 1 to 255 printable characters, no quotes, no backslash',
  );
}

function waitsUntil({ options }: Invocation): number | undefined {
  const { wait } = options;
  if (wait === undefined) return undefined;
  return typeof wait === 'string' ? systemClock.now() + parseDuration(wait, '--wait') : Infinity;
}

/** The same again is asked as the same instance, and finds the same request. */
async function keyFor(invocation: Invocation, store: AskedAheadStore, { digest }: Wanted) {
  const beside = textOption(invocation, 'approval');
  const now = systemClock.now();
  const known: AskedAhead | undefined =
    beside === undefined ? await store.like(digest, now) : await store.demand(beside, now);
  const jwk = known?.key ?? (await InstanceKey.newPrivateJwk());
  return { jwk, key: await InstanceKey.from(jwk, systemClock) };
}

/** @returns The request that people decide: of the connection, where that needs one and has none; undefined: none is needed. */
async function ticketFor(
  gateway: OpenGateway,
  { resource, operation, reason, idempotencyKey, place }: Wanted,
  clients: readonly KnownClients[],
): Promise<string | undefined> {
  const why = reason === undefined ? {} : { reason };
  const under = idempotencyKey === undefined ? {} : { idempotencyKey };
  const options: TunnelOptions = { resource, asks: 'asks', ...place, ...why, ...under };
  try {
    return (await askedOver(gateway, options, operation, clients)).approval;
  } catch (error) {
    if (isHoopError(error) && error.approval !== undefined) return error.approval;
    throw error;
  }
}

function tellWaiting({ io }: Invocation, { id, needs, expiresAt }: ApprovalItem): void {
  const names = needs.map(({ name }) => name).join(' and ');
  if (!io.json) io.note(`it waits for the approval of ${names}: ${id}, until ${expiresAt}`);
}

async function tell({ io }: Invocation, { resource, operation }: Wanted, item: ApprovalItem): Promise<void> {
  if (io.json) return io.value(item);
  const names = item.needs.map(({ name }) => name).join(' and ');
  await io.line(`${item.id}  ${statusText(item, systemClock.now())}  ${names}`);
  if (item.status === 'denied')
    io.note(`denied by ${item.endedBy ?? 'an approver'}: ${item.endReason ?? ''}`);
  if (item.status !== 'pending' && item.status !== 'approved') return;
  if (operation !== undefined && item.actions.every((action) => action === 'connect'))
    return io.note('this is for the connection; when it is approved run the same once more');
  io.note(`when it is approved: hoopctl connect ${resource} --approval ${item.id}`);
}
