import type { RevocationItem } from '../../api/revocations.ts';
import type { CommandSpec } from '../command.ts';
import { renderTable } from '../render/table.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

export const revocationList: CommandSpec = {
  path: ['revocation', 'list'],
  summary: 'list what is kept out, oldest first',
  description:
    'For whoever may end the sessions of others. What session kill revoked stands here until it runs out or is lifted.',
  gateway: 'as-person',
  examples: ['hoopctl revocation list'],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const items = await withGateway(invocation, ({ api }) => api.revocations(), AS_PERSON);
    if (io.json) {
      for (const item of items) await io.value(item);
      return;
    }
    if (items.length === 0) io.note('nothing is revoked');
    else
      await io.line(
        renderTable(['ID', 'SINCE', 'WHAT', 'NAME'], items.map(row), io.width, io.charset).join('\n'),
      );
  },
};

export const revocationLift: CommandSpec = {
  path: ['revocation', 'lift'],
  summary: 'let in again what was kept out',
  description: 'What was ended stays ended: an instance has to begin anew.',
  arguments: [{ syntax: '<id>', text: 'as hoopctl revocation list names it, rev_…' }],
  gateway: 'as-person',
  examples: ['hoopctl revocation lift rev_01JD8M2K7QZX4T9B3N5V6W8Y0C'],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const lifted = await withGateway(
      invocation,
      ({ api }) => api.liftRevocation(invocation.args[0]!),
      AS_PERSON,
    );
    if (io.json) await io.value(lifted);
    else await io.line('lifted');
  },
};

function row({ id, at, kind, value, modelVersion, owner }: RevocationItem): string[] {
  const whose = owner === undefined ? '' : ` of ${owner.agent ?? owner.subject}`;
  return [id, at, kind, `${value}${modelVersion === undefined ? '' : ` ${modelVersion}`}${whose}`];
}
