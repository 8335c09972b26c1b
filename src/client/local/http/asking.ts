/**
 * Asking ahead for one request over HTTP, over a stream where nothing runs.
 */
import type { Duplex } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import { aheadAnswer, type Word } from '../ahead.ts';
import type { AheadAnswer, AheadQuestion } from '../protocol.ts';

const REQUEST_LINE = /^([A-Z]{1,16}) (\/\S*)$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/;
/** Octets of an answer that are read. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Written here, whatever the text says. */
const OURS: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);

/**
 * Sends one request as it is written: a line `DELETE /orders/7`, lines of fields as its client will send them, and behind an
 * empty line its body.
 *
 * @param remote A stream that was opened for asking only. Ended afterwards.
 * @param problem How the gateway's word to machines stands in its answer.
 * @throws {HoopError} `ERR_USAGE` it is not written so; `ERR_DENIED` it is denied, whoever would approve; `ERR_TARGET_LOST` the
 *   session was ended.
 */
export async function askAhead(
  remote: Duplex,
  { text, parameters }: AheadQuestion,
  problem: ProblemIn = problemIn,
): Promise<AheadAnswer> {
  try {
    if (parameters.length > 0)
      throw new HoopError(
        'ERR_USAGE',
        'a request has no parameters beside it: write its body behind an empty line',
      );
    remote.write(requestOf(text));
    const { type, body } = answerParts(await untilEnd(remote));
    const said = problem(type, body);
    if (said === undefined) throw new HoopError('ERR_PROTOCOL', 'the gateway did not say what it needs');
    return answerOf(said);
  } finally {
    remote.end();
  }
}

function requestOf(text: string): Buffer {
  const [head = '', ...paragraphs] = text.replaceAll('\r\n', '\n').split('\n\n');
  const [line = '', ...fields] = head.trim().split('\n');
  if (!REQUEST_LINE.test(line.trim()) || !fields.every((one) => FIELD.test(one.trim())))
    throw new HoopError('ERR_USAGE', 'this is no request', {
      hint: "write 'DELETE /orders/7', its fields below it, a line each, and its body behind an empty line",
    });
  const body = Buffer.from(paragraphs.join('\n\n'));
  const kept = fields.map((one) => one.trim()).filter((one) => !OURS.has(FIELD.exec(one)![1]!.toLowerCase()));
  const length = paragraphs.length === 0 ? [] : [`content-length: ${body.length}`];
  const lines = [
    `${line.trim()} HTTP/1.1`,
    'host: localhost',
    ...kept,
    ...length,
    'connection: close',
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
}

async function untilEnd(remote: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of remote.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new HoopError('ERR_PROTOCOL', "the gateway's answer is too long");
    chunks.push(chunk);
  }
  if (size === 0) throw new HoopError('ERR_TARGET_LOST');
  return Buffer.concat(chunks);
}

function answerParts(answer: Buffer): { readonly type: string; readonly body: string } {
  const text = answer.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const type = /^content-type:[ \t]*(.*)$/im.exec(text.slice(0, Math.max(0, end)))?.[1] ?? '';
  return { type, body: text.slice(end + 4) };
}

function answerOf(problem: Problem): AheadAnswer {
  const answer = aheadAnswer(problem);
  if (answer !== undefined) return answer;
  const { detail, hint } = problem;
  throw new HoopError('ERR_DENIED', detail, hint === undefined ? {} : { hint });
}

interface Problem extends Word {
  readonly detail?: string;
}

/** @param type Of the body. @returns Undefined: it is none. */
export type ProblemIn = (type: string, body: string) => Problem | undefined;

/** RFC 9457; or the error by which a message of JSON-RPC is answered, with the same members as its data. */
function problemIn(type: string, body: string): Problem | undefined {
  const said = objectIn(body);
  if (type.startsWith('application/problem+json')) return said;
  const answers = (Array.isArray(said) ? said : [said]) as readonly (RpcAnswer | undefined)[];
  if (answers.length > 1)
    throw new HoopError('ERR_USAGE', 'messages are asked about one by one, and this is a list of them');
  const error = answers[0]?.error;
  return error?.data === undefined ? undefined : { ...error.data, detail: error.message ?? '' };
}

interface RpcAnswer {
  readonly error?: { readonly message?: string; readonly data?: Word };
}

/** @returns Undefined: it is no object. */
export function objectIn(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
