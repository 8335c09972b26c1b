import { refusalLine } from '../../../core/refusal-line.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { Field } from '../request/fields/read-fields.ts';
import { errorMessage } from '../rpc/answer.ts';
import { codeOfRule } from '../rpc/codes.ts';
import type { RpcBody } from '../rpc/message.ts';
import { denialStatus, type OwnAnswer } from './problem.ts';

interface Told {
  /** As JSON has it; `null`: it could not be read. */
  readonly id: string;
  readonly denial: Denial;
  /** Its id in the audit; empty: it is not there. */
  readonly operation: string;
}

/**
 * Denials as JSON-RPC says them: an error for each request, with the members that denials have in every protocol as its data.
 * What policy denies is answered as any call that fails, by 200, since clients look into no other. Pure.
 *
 * @param batch They came in a list, and are answered in one.
 */
export function rpcDenialAnswer(told: readonly Told[], batch: boolean): OwnAnswer {
  const status = denialStatus(told[0]!.denial);
  return answerOf(told, batch, status === 403 ? 200 : status);
}

/**
 * As `rpcDenialAnswer`, of what is refused for its form: with its status, under the ids that could be read. Pure.
 *
 * @param read Its messages; undefined: they could not be.
 * @see JSON-RPC 2.0 §5
 */
export function rpcRefusalAnswer(read?: RpcBody): (denial: Denial, operation: string) => OwnAnswer {
  const requests = read?.messages.filter(({ kind }) => kind === 'request') ?? [];
  const ids = requests.length === 0 ? ['null'] : requests.map(({ id }) => id!);
  const batch = requests.length > 0 && read!.batch;
  return (denial, operation) =>
    answerOf(
      ids.map((id) => ({ id, denial, operation })),
      batch,
      denialStatus(denial),
    );
}

function answerOf(told: readonly Told[], batch: boolean, status: number): OwnAnswer {
  const messages = told.map(({ id, denial, operation }) => {
    const machine = JSON.parse(refusalLine(denial)) as object;
    const data = { ...machine, ...(operation === '' ? {} : { operation }) };
    return errorMessage(id, { code: codeOfRule(denial.rule), message: messageOf(denial), data });
  });
  const body = Buffer.from(batch ? `[${messages.join(',')}]` : messages[0]!);
  const fields: Field[] = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
    ['cache-control', 'no-store'],
  ];
  return { status, fields, body };
}

/** Clients show their users the message alone. */
function messageOf({ message, reason }: Denial): string {
  return message.includes(reason) ? message : `${message}: ${reason}`;
}
