import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LookAhead } from '../../../src/wire/postgres/frame.ts';
import { encodeFrontend } from '../../../src/wire/postgres/frontend.ts';
import { Query } from '../../../src/wire/postgres/query.ts';
import { FRONTEND } from '../../../src/wire/postgres/types.ts';

const GOODBYE = encodeFrontend({ name: 'Terminate' });
const SYNC = encodeFrontend({ name: 'Sync' });
/** Its text holds what looks like a Terminate. */
const LOOKS_SO = Query.encode({ sql: `select '${'X'.repeat(9)}'` });
const COPY = encodeFrontend({ name: 'CopyData', data: GOODBYE });

it.each([
  ['nothing', [], false],
  ['other messages', [SYNC, LOOKS_SO, COPY], false],
  ['a goodbye', [GOODBYE], true],
  ['a goodbye behind others', [LOOKS_SO, COPY, SYNC, GOODBYE], true],
  ['a goodbye behind what no message can be', [Buffer.from('Q\0\0\0\x03'), GOODBYE], false],
  ['the beginning of a message', [GOODBYE.subarray(0, 4)], false],
] as const)('in %s, however it is split', (_, messages, there) => {
  const bytes = Buffer.concat(messages);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
      const ahead = new LookAhead(FRONTEND.Terminate);
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const seen = at.slice(1).map((end, index) => ahead.sees(bytes.subarray(at[index], end)));
      expect(seen.at(-1)).toBe(there);
    }),
  );
});
