/** What may be done at a resource is asked where somebody rests, and shown beside it. */
import { describe, expect, test } from 'vitest';
import type { MayItem } from '../../../../src/api/contract.ts';
import { Bench, resource } from '../../../support/ui/state.ts';

const MAY: readonly MayItem[] = [
  { actions: ['sql.select'], effect: 'allow' },
  { actions: ['sql.ddl'], effect: 'hold', approvals: ['dba'] },
  { actions: ['sql.update'], effect: 'depends', among: ['allow', 'deny'] },
  { actions: ['sql.\u202eevil'], effect: 'deny' },
];
const WIDE = { columns: 140, rows: 40 };

function listed(size = WIDE): Bench {
  const bench = Bench.online(size);
  bench.loaded('resources', [resource('one'), resource('two'), resource('three')]);
  bench.wanted();
  return bench;
}
const asked = (bench: Bench) => bench.wanted().filter((effect) => effect.do === 'load-may');

describe('what may be done', () => {
  test('is asked once the cursor rests, of the chosen one alone', () => {
    const bench = listed();
    bench.press('j');
    bench.passes(200);
    bench.press('j');
    bench.passes(200);
    expect(asked(bench)).toEqual([]);
    bench.passes(200);
    expect(asked(bench)).toEqual([{ do: 'load-may', resource: 'three' }]);
    bench.passes(500);
    expect(asked(bench)).toEqual([]);
  });

  test('is shown beside the list, safe to look at', () => {
    const bench = listed();
    bench.passes(400);
    bench.tell({ type: 'may', resource: 'one', items: MAY });
    const screen = bench.screen();
    expect(screen).toContain('│ what may be done there, by policy');
    expect(screen).toContain('│   allowed         sql.select');
    expect(screen).toContain('│   needs approval  sql.ddl (approval: dba)');
    expect(screen).toContain('│   depends         sql.update (allowed or refused)');
    expect(screen).toContain('│   refused         sql.\\u202eevil');
    bench.press('j');
    expect(bench.screen()).not.toContain('by policy');
  });

  test('is asked in a small window where details are open', () => {
    const bench = listed({ columns: 80, rows: 24 });
    bench.passes(400);
    expect(asked(bench)).toEqual([]);
    bench.press('enter');
    bench.passes(400);
    expect(asked(bench)).toEqual([{ do: 'load-may', resource: 'one' }]);
    bench.tell({ type: 'may', resource: 'one', items: MAY });
    expect(bench.screen()).toContain('needs approval  sql.ddl (approval: dba)');
  });

  test('is asked again after a minute, at once on r, and of nobody while there is no connection', () => {
    const bench = listed();
    bench.passes(400);
    bench.tell({ type: 'may', resource: 'one', items: MAY });
    bench.passes(59_000);
    expect(asked(bench)).toHaveLength(1);
    bench.passes(1_000);
    expect(asked(bench)).toHaveLength(1);
    bench.press('r');
    bench.tell({ type: 'may', resource: 'one', items: MAY });
    expect(bench.screen()).not.toContain('by policy');
    bench.passes(400);
    expect(asked(bench)).toHaveLength(1);
    const failure = { code: 'ERR_GATEWAY_UNREACHABLE', message: 'gone' };
    bench.tell({ type: 'disconnected', failure, exit: 69 });
    bench.passes(1_000);
    expect(asked(bench)).toEqual([]);
  });

  test('stays where a later question fails; a first that fails says so', () => {
    const bench = listed();
    const failure = { code: 'ERR_INTERNAL', message: 'no answer' };
    bench.passes(400);
    bench.tell({ type: 'may', resource: 'one', failure });
    expect(bench.screen()).toContain('│ may be done  no answer');
    bench.passes(60_000);
    bench.tell({ type: 'may', resource: 'one', items: MAY });
    bench.passes(60_000);
    bench.tell({ type: 'may', resource: 'one', failure });
    expect(bench.screen()).toContain('allowed         sql.select');
  });

  test('of a gateway that does not say it nothing is shown', () => {
    const bench = listed();
    bench.passes(400);
    bench.tell({ type: 'may', resource: 'one', items: undefined });
    expect(bench.screen()).not.toMatch(/by policy|may be done/);
  });
});
