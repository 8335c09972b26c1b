import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalItem, ApprovalStatus } from '../../../../src/api/approvals.ts';
import { annotationsOf } from '../../../../src/cli/mcp/server.ts';
import { shownApproval } from '../../../../src/cli/mcp/tools/approvals.ts';
import { shownEvent } from '../../../../src/cli/mcp/tools/audit.ts';
import { questionOf as httpQuestion } from '../../../../src/cli/mcp/tools/http/operation.ts';
import { shownAnswer } from '../../../../src/cli/mcp/tools/http/request.ts';
import { TOOLS } from '../../../../src/cli/mcp/tools/index.ts';
import { pathOf, shownTable } from '../../../../src/cli/mcp/tools/kubernetes/read.ts';
import { OPERATION } from '../../../../src/cli/mcp/tools/operations.ts';
import { shownResult } from '../../../../src/cli/mcp/tools/postgres/query.ts';
import { shownValue, typeName } from '../../../../src/cli/mcp/tools/postgres/values.ts';

describe('tools', () => {
  it.each(TOOLS.map((one) => [one.name, one] as const))(
    '%s takes nothing that it does not know, and says what it is for',
    (name, one) => {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(one.description.length).toBeGreaterThan(40);
      expect(one.input.safeParse({ unheard: 1 }).error?.message).toContain('unheard');
    },
  );

  it('are read-only without --write, but for asking people', () => {
    const written = TOOLS.filter((one) => !annotationsOf(one, false).readOnlyHint).map(({ name }) => name);
    expect(written).toEqual(['request_approval']);
    expect(TOOLS.filter((one) => annotationsOf(one, false).destructiveHint)).toEqual([]);
    const destructive = TOOLS.filter((one) => annotationsOf(one, true).destructiveHint).map(
      ({ name }) => name,
    );
    expect(destructive).toEqual(['query_postgres', 'http_request']);
  });
});

describe('an operation', () => {
  it.each([
    [
      { sql: 'SELECT $1', params: [1, null, true, 'x'] },
      { text: 'SELECT $1', parameters: ['1', null, 'true', 'x'], prepared: true },
    ],
    [{ command: 'uptime' }, { text: 'uptime', parameters: [] }],
    [
      { method: 'POST', path: '/a', headers: { 'Content-Type': 'text/plain' }, body: 'b\n\nc' },
      {
        text: 'POST /a\naccept: application/json\nuser-agent: hoopctl\ncontent-type: text/plain\n\nb\n\nc',
        parameters: [],
      },
    ],
  ])('%j is sent as %j', (operation, question) => {
    expect(OPERATION.parse(operation)).toEqual(question);
  });

  it.each([
    [{ method: 'GET', path: 'orders' }],
    [{ method: 'GET', path: '/a b' }],
    [{ method: 'GET', path: '/a\r\nx: y' }],
    [{ method: 'TRACE', path: '/' }],
    [{ method: 'GET', path: '/', headers: { Host: 'x' } }],
    [{ method: 'GET', path: '/', headers: { 'a\nb': 'x' } }],
    [{ method: 'GET', path: '/', headers: { a: 'x\r\ny: z' } }],
    [{ method: 'POST', path: '/', body: 'a\r\nb' }],
    [{ sql: '' }],
    [{ sql: 'SELECT \ud800' }],
    [{ sql: 'SELECT $1', params: ['\udc00'] }],
    [{ method: 'POST', path: '/', body: '\ud800' }],
    [{ sql: 'SELECT 1', command: 'x' }],
    [{}],
  ])('%j is none', (operation) => {
    expect(OPERATION.safeParse(operation).success).toBe(false);
  });

  it('of HTTP has its head in lines of its own, whatever is in it', () => {
    const text = fc.stringMatching(/^[\x20-\x7e]{0,20}$/);
    fc.assert(
      fc.property(text, (value) => {
        const { text: sent } = httpQuestion({ method: 'GET', path: '/', headers: { a: value } });
        expect(sent.split('\n')).toHaveLength(5);
      }),
    );
  });
});

describe("PostgreSQL's values", () => {
  it.each([
    ['t', 16, true],
    ['f', 16, false],
    ['7', 23, 7],
    ['9007199254740993', 20, '9007199254740993'],
    ['1.5', 701, 1.5],
    ['NaN', 701, 'NaN'],
    ['1e400', 701, '1e400'],
    ['1.10', 1700, '1.10'],
    ['{"a":1}', 3802, '{"a":1}'],
    ['***', 25, '***'],
    [null, 23, null],
  ])('%j of type %i is %j', (text, oid, value) => {
    expect(shownValue(text === null ? null : Buffer.from(text), oid, 100)).toBe(value);
  });

  it('that are numbers are the same number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const shown = shownValue(Buffer.from(String(value)), 20, 100);
        expect(BigInt(shown as number | string)).toBe(value);
      }),
    );
  });

  it('have types by name, or by number', () => {
    expect([typeName(25), typeName(16390)]).toEqual(['text', 'oid 16390']);
  });

  it('stand in rows, and what is masked beside its column', () => {
    const column = (name: string, typeOid: number) => ({
      name: Buffer.from(name),
      typeOid,
      tableOid: 0,
      attributeNumber: 0,
      typeLength: 0,
      typeModifier: 0,
      format: 0 as const,
    });
    const result = {
      columns: [column('id', 23), column('e\u202e', 25)],
      rows: [[Buffer.from('1'), Buffer.from('***')]],
      cut: 'rows' as const,
      tag: undefined,
      rolledBack: false,
    };
    const told = [
      { name: 'id', from: [] },
      { name: 'e', from: [], mask: 'redact' },
    ];
    expect(shownResult(result, told)).toEqual({
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'e\\u202e', type: 'text', mask: 'redact' },
      ],
      rows: [[1, '***']],
      cut: 'rows',
    });
  });
});

describe('an answer of HTTP', () => {
  const answer = (body: Buffer, cut = false) =>
    shownAnswer({ status: 200, headers: { 'set-cookie': ['a'], etag: '"1"' }, body, cut });

  it('has its text, and no cookie', () => {
    expect(answer(Buffer.from('a\u202e'))).toMatchObject({
      status: 200,
      headers: { etag: '"1"' },
      body: 'a\\u202e',
    });
  });

  it('that is cut within a character ends before it', () => {
    expect(answer(Buffer.from('é').subarray(0, 1), true)).toMatchObject({ cut: true });
    expect(answer(Buffer.from('aé').subarray(0, 2), true)).toMatchObject({ body: 'a', cut: true });
  });

  it('that is no text says how much there is', () => {
    expect(answer(Buffer.from([0xff, 0]))).toMatchObject({ octets: 2 });
  });
});

describe('a cluster', () => {
  it.each([
    ['pods', undefined, 'shop', '/api/v1/namespaces/shop/pods'],
    ['deployments', undefined, undefined, '/apis/apps/v1/deployments'],
    ['widgets', 'example.com/v1', 'shop', '/apis/example.com/v1/namespaces/shop/widgets'],
  ])('has %s of %s in %s at %s', (kind, version, namespace, path) => {
    expect(pathOf(kind, version, namespace)).toBe(path);
  });

  it('has no kind of which nobody knows the group', () => {
    expect(() => pathOf('widgets', undefined, undefined)).toThrow(/none of the kinds/);
  });

  it('shows a list that is no table by its names', () => {
    const items = [{ metadata: { name: 'a', namespace: 'n' } }, 7, null];
    expect(shownTable({ items }, true)).toEqual({
      columns: ['Namespace', 'Name'],
      rows: [
        ['n', 'a'],
        ['', ''],
        ['', ''],
      ],
    });
  });

  it('shows whatever it is sent without failing', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('columnDefinitions', 'rows', 'items', 'metadata'), fc.jsonValue()),
        (value) => {
          const { columns, rows } = shownTable(value, true);
          for (const row of rows) expect(row).toHaveLength(columns.length);
        },
      ),
    );
  });
});

describe('an event', () => {
  it('shows what it has, and what was only explained', () => {
    const event = {
      schemaVersion: 2,
      id: 'evt_1',
      at: 'then',
      type: 'operation.decided',
      rules: [{ id: 'use' }],
      objects: 7,
      rows: 2,
    } as const;
    expect(shownEvent(event)).toEqual({
      id: 'evt_1',
      at: 'then',
      type: 'operation.decided',
      rules: ['use'],
      rows: 2,
    });
    expect(shownEvent({ ...event, decision: 'explained' })).toMatchObject({ preview: true });
  });
});

describe('an approval', () => {
  const item = {
    id: 'apr_1',
    status: 'pending',
    needs: [{ name: 'dba', count: 1, given: 0 }],
    expiresAt: 'then',
    actions: ['sql.create'],
  };
  const shown = (more: object, onlyFirst = false) =>
    shownApproval({ ...item, ...more } as unknown as ApprovalItem, onlyFirst);

  it.each<[ApprovalStatus, RegExp]>([
    ['pending', /^wait: approval_status for apr_1/],
    ['approved', /^make the call now/],
    ['denied', /^do not ask for the same again/],
    ['expired', /ask again/],
    ['cancelled', /ask again/],
    ['failed', /ask again/],
  ])('that is %s says what to do', (status, next) => {
    expect(shown({ status }).next).toMatch(next);
  });

  it('of a connection is followed by the one of the operation', () => {
    const connection = { status: 'approved', actions: ['connect'] };
    expect(shown(connection, true)).toMatchObject({
      for: 'a connection',
      next: expect.stringContaining('once more'),
    });
  });

  it('that was used is over', () => {
    expect(shown({ status: 'approved', usedBy: 'op_1' }).next).toMatch(/^it has been used/);
  });
});
