import { readFile, writeFile } from 'node:fs/promises';
import type { OpenGateway } from '../../client/gateway.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { askedOver } from '../ahead.ts';
import { HOOPD_CHECK, type Invocation, textOption } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import { visible } from '../render/text.ts';
import { withGateway } from '../with-gateway.ts';
import { demandWritable } from '../writable.ts';
import { type PolicyCase, readCases } from './cases.ts';
import { junitOf, type Tried } from './junit.ts';
import { failuresOf, saidBy } from './verdict.ts';

const FAILED = 76;

/**
 * Tries cases against the policy in force, one after the other; nothing runs.
 *
 * @returns 0 policy says of each what it must; 76 of some it does not.
 */
export async function runTest(invocation: Invocation): Promise<number> {
  const { args, io } = invocation;
  const [file] = args as readonly [string];
  const cases = casesOf(invocation, await contentOf(file), file);
  const junit = textOption(invocation, 'junit');
  if (junit !== undefined) await demandWritable(junit, '--junit');
  const tried = await withGateway(invocation, async (gateway) => {
    const done: Tried[] = [];
    for (const [index, wanted] of cases.entries()) {
      const one = await trial(gateway, wanted, index);
      done.push(one);
      if (io.json) await io.value({ ...one, passed: one.failures.length === 0 });
      else for (const line of linesOf(one)) await io.line(line);
    }
    return done;
  });
  if (junit !== undefined) await written(junit, junitOf(file, tried));
  const failed = tried.filter(({ failures }) => failures.length > 0).length;
  if (!io.json) await io.line(`${tried.length - failed} of ${tried.length} as expected`);
  return failed === 0 ? 0 : FAILED;
}

function casesOf({ io }: Invocation, content: string, file: string): readonly PolicyCase[] {
  const read = readCases(content, file);
  if (read.ok) return read.cases;
  for (const mistake of read.mistakes) io.note(mistake);
  const isGateways = /^resources:/m.test(content) && !/^tests:/m.test(content);
  const hint = isGateways || file.endsWith('.cedar') ? { hint: HOOPD_CHECK } : {};
  throw new HoopError('ERR_CONFIG', `${file} holds no cases that can be tried`, hint);
}

async function trial(gateway: OpenGateway, wanted: PolicyCase, index: number): Promise<Tried> {
  const { resource, command, params, host } = wanted;
  const name = wanted.name ?? `${index + 1}: ${command.slice(0, 80)}`;
  const options = { resource, asks: 'explains', ...(host === undefined ? {} : { place: host }) } as const;
  const begun = performance.now();
  const question = { text: command, parameters: params };
  const verdict = await askedOver(gateway, options, question, CLIENTS).then(
    ({ explanation }) => ({
      failures: explanation === undefined ? [UNSAID] : failuresOf(wanted, explanation),
    }),
    (error: unknown) => ofRefusal(wanted, error),
  );
  return { name, resource, ...verdict, ms: Math.round(performance.now() - begun) };
}

const UNSAID = 'the gateway did not say what policy would';

/** What is wrong with one case fails it; what is wrong with all of them ends the run. */
function ofRefusal(wanted: PolicyCase, error: unknown): Pick<Tried, 'failures' | 'remark'> {
  if (!isHoopError(error)) throw error;
  const said = saidBy(error);
  // A resource that is misspelt is refused like one that may not be reached: whoever reads the report must see which it may be.
  const remark =
    error.code === 'ERR_NO_ACCESS' ? { remark: [error.message, error.hint ?? ''].join('; ') } : {};
  if (said !== undefined) return { failures: failuresOf(wanted, said), ...remark };
  if (OF_ONE_CASE.has(error.code)) return { failures: [`${error.code}: ${error.message}`] };
  throw error;
}

const OF_ONE_CASE: ReadonlySet<string> = new Set(['ERR_TARGET_LOST', 'ERR_TARGET_UNREACHABLE', 'ERR_USAGE']);

function linesOf({ name, failures, remark, ms }: Tried): readonly string[] {
  const head = `${failures.length === 0 ? 'ok    ' : 'FAILED'}  ${visible(name)} (${ms} ms)`;
  const below = remark === undefined || failures.length > 0 ? failures : [remark];
  return [head, ...below.map((one) => `        ${visible(one)}`)];
}

function contentOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HoopError('ERR_USAGE', `${file} cannot be read (${error.code ?? error.message})`);
  });
}

function written(file: string, text: string): Promise<void> {
  return writeFile(file, text).catch((error: NodeJS.ErrnoException) => {
    throw new HoopError('ERR_USAGE', `${file} cannot be written (${error.code ?? error.message})`);
  });
}
