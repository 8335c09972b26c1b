import { denialJson } from '../../../enforcement/denial.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { Field } from '../request/fields/read-fields.ts';
import { errorMessage } from '../rpc/answer.ts';
import { codeOfRule } from '../rpc/codes.ts';
import { denialStatus, type OwnAnswer } from './problem.ts';

interface Told {
  /** As JSON has it; undefined: nobody knows. */
  readonly id: string | undefined;
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
  const messages = told.map(({ id, denial, operation }) => {
    const machine = JSON.parse(denialJson(denial)) as object;
    const data = { ...machine, ...(operation === '' ? {} : { operation }) };
    return errorMessage(id, { code: codeOfRule(denial.rule), message: messageOf(denial), data });
  });
  const status = denialStatus(told[0]!.denial);
  const body = Buffer.from(batch ? `[${messages.join(',')}]` : messages[0]!);
  const fields: Field[] = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
    ['cache-control', 'no-store'],
  ];
  return { status: status === 403 && told[0]!.id !== undefined ? 200 : status, fields, body };
}

/** Clients show their users the message alone. */
function messageOf({ message, reason }: Denial): string {
  return message.includes(reason) ? message : `${message}: ${reason}`;
}

/** As `rpcDenialAnswer`, of a message that could not be read: it has no id. Pure. */
export function unreadDenialAnswer(denial: Denial, operation: string): OwnAnswer {
  return rpcDenialAnswer([{ id: undefined, denial, operation }], false);
}
