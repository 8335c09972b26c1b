import { HoopError } from '../../core/errors.ts';
import {
  type Anchor,
  CHAIN_PROBLEMS,
  type ChainReport,
  type VerifyOptions,
  verifyChain,
  verifyLinks,
} from '../../core/evidence/audit-verify.ts';
import { type Invocation, textOption } from '../command.ts';
import type { Io } from '../io.ts';
import { visible } from '../render/text.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';
import { findChains, readFiles } from './chain-files.ts';

const EXIT_VERIFY = 76;
/** Where names of chains stand. */
const HANG = 5;

interface NamedReport {
  readonly name: string;
  readonly report: ChainReport;
}

/** Verifies chains from files or from the gateway, on this machine. @returns 76 if any line of any chain is bad. */
export async function runVerify(invocation: Invocation): Promise<number> {
  const { io, args } = invocation;
  const keys = trustedKeys(invocation.options['key']);
  const against = textOption(invocation, 'against');
  const earlier = against === undefined ? [] : await fromFiles(against, keys);
  const bad = earlier.find(({ report }) => !report.ok);
  if (bad !== undefined)
    throw new HoopError('ERR_VERIFY', `${against} does not hold itself: nothing can be compared with it`, {
      hint: `see: hoopctl audit verify ${against}`,
    });
  const options = { ...keys, anchors: anchorsOf(earlier) };
  const named =
    args[0] === undefined ? await download(invocation, options) : await fromFiles(args[0], options);
  const there = new Set(named.map(({ report }) => report.chain));
  const gone = earlier.filter(({ report }) => !there.has(report.chain));
  if (gone.length > 0)
    throw new HoopError(
      'ERR_VERIFY',
      `${visible(gone[0]!.report.chain ?? '')} is in ${against}, and gone now`,
    );
  const linked = verifyLinks(named.map(({ report }) => report));
  const reports = named.map(({ name }, i) => ({ name, report: linked[i]! }));
  for (const item of reports) await print(io, item);
  await summarise(io, reports);
  return reports.every(({ report }) => report.ok) ? 0 : EXIT_VERIFY;
}

/** Where each chain had come to when it was exported before. */
function anchorsOf(earlier: readonly NamedReport[]): ReadonlyMap<string, Anchor> {
  return new Map(
    earlier.flatMap(({ report: { chain, head } }) =>
      chain === undefined || head === undefined ? [] : [[chain, head] as const],
    ),
  );
}

function trustedKeys(option: unknown): { trustedKeys?: readonly string[] } {
  if (!Array.isArray(option)) return {};
  for (const key of option) {
    if (/^[\w-]{43}$/.test(String(key))) continue;
    throw new HoopError('ERR_USAGE', '--key is a raw Ed25519 public key: 43 letters of base64url', {
      hint: 'hoopctl audit verify without --key prints those that signed, to compare with what the operator has said',
    });
  }
  return { trustedKeys: option.map(String) };
}

async function fromFiles(directory: string, options: VerifyOptions): Promise<NamedReport[]> {
  const reports: NamedReport[] = [];
  for (const { name, paths } of await findChains(directory)) {
    reports.push({ name, report: await verifyChain(readFiles(paths), options) });
  }
  return reports;
}

function download(invocation: Invocation, options: VerifyOptions): Promise<NamedReport[]> {
  return withGateway(
    invocation,
    async (gateway) => {
      const reports: NamedReport[] = [];
      for (const { id, chain } of await gateway.api.auditChains()) {
        const octets = await gateway.api.auditChain(id, invocation.io.signal);
        reports.push({ name: chain, report: await verifyChain(octets, { ...options, chain }) });
      }
      if (reports.length === 0) throw new HoopError('ERR_VERIFY', 'the gateway has no audit chain to verify');
      return reports;
    },
    AS_PERSON,
  );
}

async function print(io: Io, { name, report }: NamedReport): Promise<void> {
  if (io.json)
    return io.value({
      kind: 'chain',
      name,
      ...report,
      ...(report.ok ? {} : { firstBadSeq: firstBadSeq(report) }),
    });
  const label = visible(report.chain ?? name);
  const { problem } = report;
  if (problem !== undefined) {
    const seq = firstBadSeq(report);
    await io.line(
      `BAD  ${label}: seq ${seq}, line ${problem.line}: ${CHAIN_PROBLEMS[problem.reason]} (${problem.reason})`,
      HANG,
    );
    return;
  }
  const text = `${counted(report.events, 'event')}, ${signature(report)}${tail(report)}`;
  await io.line(`ok   ${label}: ${text}`, HANG);
}

/** The place after the last good line: what a bad line says of its own place proves nothing. */
function firstBadSeq(report: ChainReport): number {
  return (report.head?.seq ?? -1) + 1;
}

function signature(report: ChainReport): string {
  if (report.signedThrough < 0) return 'none signed yet';
  const by = report.signer === 'trusted' ? 'a trusted key' : `key ${report.publicKey}, not compared with any`;
  const { unsignedEvents } = report.tail;
  const which = unsignedEvents === 0 ? 'all' : `the first ${report.events - unsignedEvents}`;
  return `${which} signed by ${by}`;
}

function tail({ tail: { unsignedEvents, tornBytes } }: ChainReport): string {
  const unsigned =
    unsignedEvents === 0 ? '' : `; ${counted(unsignedEvents, 'newer event')} in order but not yet signed`;
  return tornBytes === 0 ? unsigned : `${unsigned}; ${tornBytes} octets of a write that a crash cut off`;
}

async function summarise(io: Io, reports: readonly NamedReport[]): Promise<void> {
  const bad = reports.filter(({ report }) => !report.ok).length;
  const events = reports.reduce((sum, { report }) => sum + report.events, 0);
  if (io.json) await io.value({ kind: 'summary', ok: bad === 0, chains: reports.length, bad, events });
  else if (bad > 0) io.note(`verification failed: ${bad} of ${reports.length} chains do not hold`);
  else await io.line(`verified: ${counted(events, 'event')} in ${counted(reports.length, 'chain')}`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
