/**
 * Asking ahead for one command over SSH, over a stream where nothing runs.
 */
import type { Duplex } from 'node:stream';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { HoopError } from '../../../core/errors.ts';
import { readNamedKey } from '../../../wire/ssh/named-key.ts';
import { aheadAnswer, type Word } from '../ahead.ts';
import type { AheadAnswer, AheadQuestion } from '../protocol.ts';

const LINE = /^hoop: (\{.*\})$/m;
/** Octets of an answer that are read. */
const MAX_ANSWER_BYTES = 256 * 1024;

/**
 * Asks for a command as `ssh` would send it.
 *
 * @param remote A stream that was opened for asking only. Ended afterwards.
 * @param hostKey By which the gateway is known: `ssh-ed25519 AAAA…`.
 * @throws {HoopError} `ERR_USAGE` there are parameters; `ERR_DENIED` it is denied, whoever would approve; `ERR_TARGET_LOST` the
 *   session was ended.
 */
export async function askAhead(
  remote: Duplex,
  hostKey: string,
  { text, parameters }: AheadQuestion,
): Promise<AheadAnswer> {
  if (parameters.length > 0)
    throw new HoopError('ERR_USAGE', 'a command has no parameters beside it: write them into the command');
  const client = await connected(remote, hostKey);
  try {
    return answerOf(await said(client, text));
  } finally {
    client.end();
    remote.end();
  }
}

function connected(remote: Duplex, hostKey: string): Promise<Client> {
  const expected = readNamedKey(hostKey)?.blob;
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    const lost = (detail: string) => reject(new HoopError('ERR_TARGET_LOST', undefined, { detail }));
    client.once('ready', () => resolve(client));
    client.on('error', (error) => lost(error.message)).once('close', () => lost('it was closed'));
    client.connect({
      sock: remote as never,
      username: 'hoop',
      authHandler: ['none'],
      hostVerifier: (key: Buffer) => expected?.equals(key) ?? false,
      algorithms: { serverHostKey: ['ssh-ed25519'] },
    });
  });
}

function said(client: Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined)
        return reject(new HoopError('ERR_TARGET_LOST', undefined, { detail: error.message }));
      resolve(errorsOf(channel));
    });
  });
}

function errorsOf(channel: ClientChannel): Promise<string> {
  let text = '';
  channel.resume();
  channel.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < MAX_ANSWER_BYTES) text += chunk;
  });
  return new Promise((resolve) => channel.once('close', () => resolve(text)));
}

function answerOf(text: string): AheadAnswer {
  const word = denialIn(text);
  const answer = aheadAnswer(word);
  if (answer !== undefined) return answer;
  const { reason, hint } = word;
  throw new HoopError('ERR_DENIED', reason, hint === undefined ? {} : { hint });
}

/** The gateway's word to machines, a line of its own. */
function denialIn(text: string): Word {
  const line = LINE.exec(text)?.[1];
  try {
    const value: unknown = JSON.parse(line ?? '');
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new HoopError('ERR_PROTOCOL', 'the gateway did not say what it needs');
}
