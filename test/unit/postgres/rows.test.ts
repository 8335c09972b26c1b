import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import { maskFindings } from '../../../src/masking/mask-findings.ts';
import {
  type CellDetector,
  type ColumnAction,
  RowRewriter,
  rowPlan,
  shapeOf,
} from '../../../src/protocols/postgres/shown/rows.ts';
import { WireTypes } from '../../../src/protocols/postgres/shown/values/wire-types.ts';
import { Frame, type Piece } from '../../../src/wire/postgres/frame.ts';
import { DataRow } from '../../../src/wire/postgres/rows.ts';

const detectors = new DetectorSet();
const detector: CellDetector = {
  nextRecord: () => undefined,
  attends: () => true,
  suspects: (bytes, start, end, shape) => detectors.suspects(bytes, start, end, shape),
  detect: (value, shape) => maskFindings(value, detectors.scan(value, shape), () => 'redact', shape),
};
function frameOf(body: Buffer): Frame {
  // In the middle of a chunk, as rows mostly are.
  const head = Buffer.from('4400000000', 'hex');
  head.writeInt32BE(4 + body.length, 1);
  return new Frame(
    0x44,
    Buffer.concat([Buffer.from('before'), head, body, Buffer.from('after')]),
    6,
    11 + body.length,
  );
}

function bytesOf(rewritten: ReturnType<RowRewriter['rewrite']>): Buffer | undefined {
  return rewritten?.piece.chunk.subarray(rewritten.piece.start, rewritten.piece.end);
}

const show: ColumnAction = { kind: 'show' };
const redact: ColumnAction = { kind: 'mask', mask: 'redact', shape: 'text' };
const types = new WireTypes(new Map());
const looked = (oid: number, format: 0 | 1): ColumnAction => ({
  kind: 'detect',
  type: types.of(oid),
  format,
  types,
});
const detect = looked(25, 0);

function row(values: readonly (string | Buffer | null)[]): Buffer {
  return DataRow.encode({
    values: values.map((value) => (value === null ? null : Buffer.from(value as string))),
  }).subarray(5);
}

function rewrite(
  values: readonly (string | Buffer | null)[],
  actions: readonly ColumnAction[],
  with_ = detector,
) {
  const rewritten = bytesOf(new RowRewriter().rewrite(frameOf(row(values)), rowPlan(actions), with_));
  return rewritten && DataRow.decode(rewritten.subarray(5)).values.map((value) => value?.toString() ?? null);
}

describe('rows', () => {
  test('masks its columns and leaves the others', () => {
    expect(rewrite(['1', '123-45-6789', 'Ann'], [show, redact, show])).toEqual(['1', '***', 'Ann']);
  });

  test('NULL stays NULL; a row in which nothing changes goes on as it is', () => {
    expect(rewrite([null, 'x'], [redact, show])).toBeUndefined();
    expect(rewrite(['nothing here'], [detect])).toBeUndefined();
  });

  test('a type that cannot hold a mask becomes NULL', () => {
    expect(rewrite(['42'], [{ kind: 'mask', mask: 'partial', shape: 'opaque' }])).toEqual([null]);
  });

  test('a detector that fails masks the value', () => {
    const failing: CellDetector = {
      nextRecord: () => undefined,
      attends: () => true,
      suspects: () => true,
      detect: () => {
        throw new Error('crash');
      },
    };
    expect(rewrite(['anything'], [detect], failing)).toEqual([null]);
  });

  test('a card number in a binary int8 or numeric is found by its digits', () => {
    const int8 = Buffer.alloc(8);
    int8.writeBigInt64BE(4111111111111111n);
    expect(rewrite([int8], [looked(20, 1)])).toEqual([null]);
    const numeric = Buffer.concat([
      Buffer.from('0004000300000000', 'hex'),
      Buffer.from('100f045704570457', 'hex'),
    ]);
    expect(rewrite([numeric], [looked(1700, 1)])).toEqual([null]);
  });

  test.each([
    ['fewer columns', Buffer.from('0001ffffffff', 'hex')],
    ['more columns', row(['a', 'b', 'c'])],
    ['a length beyond the end', Buffer.from('00020000000141ffffff0f', 'hex')],
    ['octets left over', Buffer.concat([row(['a', 'b']), Buffer.from('x')])],
    ['nothing', Buffer.alloc(0)],
  ])('a row that does not fit is refused whole: %s', (_, body) => {
    expect(() => new RowRewriter().rewrite(frameOf(body), rowPlan([redact, show]), detector)).toThrowError(
      expect.objectContaining({ code: 'ERR_PROTOCOL' }),
    );
  });

  test('whatever the values, a masked one is nowhere in the message', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (others, place) => {
          const secret = 'S3CRET-VALUE-998877';
          const at = place % (others.length + 1);
          const values = [...others.slice(0, at), secret, ...others.slice(at)];
          const actions = values.map((value) => (value === secret ? redact : show));
          const rewritten = bytesOf(
            new RowRewriter().rewrite(frameOf(row(values)), rowPlan(actions), detector),
          );
          expect(rewritten?.includes(secret)).toBe(false);
          expect(DataRow.decode(rewritten?.subarray(5) ?? Buffer.alloc(0)).values).toHaveLength(
            values.length,
          );
        },
      ),
    );
  });

  test.each([
    [25, 0, 'text'],
    [25, 1, 'text'],
    [1043, 1, 'text'],
    [114, 1, 'json'],
    [3802, 0, 'json'],
    [3802, 1, 'jsonb-binary'],
    [20, 0, 'opaque'],
    [17, 0, 'opaque'],
    [1009, 1, 'opaque'],
    [2950, 0, 'uuid'],
    [2950, 1, 'uuid-binary'],
    [1184, 1, 'opaque'],
    [869, 0, 'opaque'],
    [99_999, 0, 'opaque'],
  ])('type %i in format %i may become %s', (oid, format, shape) => {
    expect(shapeOf(oid, format)).toBe(shape);
  });
});

test('rows that are rewritten one after the other lie side by side, and stay as they are', () => {
  const rewriter = new RowRewriter();
  const plan = rowPlan([show, redact, show]);
  const rows = Array.from({ length: 3000 }, (_, i) =>
    rewriter.rewrite(frameOf(row([`${i}`, 'secret', 'x'.repeat(i % 90)])), plan, detector),
  );
  for (const [i, one] of rows.entries()) {
    const { values } = DataRow.decode(bytesOf(one)!.subarray(5));
    expect(values.map(String)).toEqual([`${i}`, '***', 'x'.repeat(i % 90)]);
  }
  expect(rows[1]?.piece).toMatchObject({ chunk: rows[0]?.piece.chunk, start: rows[0]?.piece.end });
});

/** Messages one behind the other with something before them, as the framer gives them. */
function runOf(bodies: readonly Buffer[]): Piece {
  const messages = bodies.map((body) => DataRow.encode(DataRow.decode(body)));
  const chunk = Buffer.concat([Buffer.from('before'), ...messages, Buffer.from('after')]);
  return { chunk, start: 6, end: chunk.length - 5 };
}

describe('a run of rows', () => {
  const cell = fc.oneof(
    fc.constant(null),
    fc.string({ maxLength: 30 }),
    fc.constantFrom('ann@example.com', '4111 1111 1111 1111', '123-45-6789', ''),
  );
  const kinds = [show, redact, detect, { kind: 'mask', mask: 'partial', shape: 'text' }] as const;

  test('is rewritten as its rows would be one by one, and however often memory is used again', () => {
    const [one, many] = [new RowRewriter(), new RowRewriter()];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...kinds), { maxLength: 5 }),
        fc.array(fc.array(cell, { minLength: 5, maxLength: 5 }), { maxLength: 40 }),
        (actions, table) => {
          one.reset();
          many.reset();
          const plan = rowPlan(actions);
          const bodies = table.map((values) => row(values.slice(0, actions.length)));
          const whole = many.rewrite(runOf(bodies), plan, detector);
          const singles = bodies.map((body) => {
            const frame = frameOf(body);
            const rewritten = one.rewrite(frame, plan, detector);
            return { bytes: bytesOf(rewritten) ?? frame.raw, count: rewritten?.maskedValues ?? 0 };
          });
          expect(whole?.maskedValues ?? 0).toBe(singles.reduce((sum, { count }) => sum + count, 0));
          if (whole === undefined) return;
          expect(bytesOf(whole)).toEqual(Buffer.concat(singles.map(({ bytes }) => bytes)));
        },
      ),
    );
  });

  test('of any octets is either rewritten or refused with an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(3), (octets, columns) => {
        const plan = rowPlan(Array.from({ length: columns }, () => redact));
        try {
          const rewritten = new RowRewriter().rewrite(frameOf(Buffer.from(octets)), plan, detector);
          if (rewritten !== undefined) DataRow.decode((bytesOf(rewritten) as Buffer).subarray(5));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_PROTOCOL' });
        }
      }),
    );
  });
});
