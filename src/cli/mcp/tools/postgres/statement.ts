/**
 * Statements of tools: each in a session of its own, so that none leaves anything behind for the next.
 */
import type { ResourceItem } from '../../../../api/contract.ts';
import {
  type ResultBounds,
  runStatement,
  type StatementResult,
} from '../../../../client/local/postgres/running.ts';
import type { AheadQuestion } from '../../../../client/local/protocol.ts';
import { namesOf } from '../../../connect/clients/postgres.ts';
import type { GatewayDesk } from '../../desk.ts';
import { Refused } from '../../refusal.ts';
import { refusalInError } from './refusal.ts';

/**
 * @param signal Ends the session, and so the statement.
 * @throws {Refused} The gateway or the server refused it. @throws {HoopError} What kept it from running.
 */
export async function ran(
  desk: GatewayDesk,
  resource: ResourceItem,
  question: AheadQuestion,
  bounds: ResultBounds,
  signal: AbortSignal,
): Promise<StatementResult> {
  const stream = await (await desk.tunnel(resource.name)).open(signal);
  const leave = () => stream.destroy();
  stream.on('error', leave);
  signal.addEventListener('abort', leave, { once: true });
  try {
    const end = await runStatement(stream, namesOf(resource), question, bounds);
    if (end.kind === 'failed') throw new Refused(refusalInError(end.error));
    return end.result;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
