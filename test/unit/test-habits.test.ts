import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOT, readSources, type SourceFile } from '../support/source-tree.ts';

/** Programs that measure or press for as long as they are told keep time by themselves. */
const TIMED = /^test\/(bench|stress|soak|schemas|regress|detectors)\//;
const HELPER = 'test/support/waiting.ts';

/** A timer that ends a wait, where it is not one of the two ways of `waiting.ts`. */
const WAITS = /timers\/promises['"]|setTimeout\(\s*(?:resolve|done|next|r)\b/;

const MAY_WAIT: Readonly<Record<string, string>> = {
  'test/support/postgres/server.ts': 'a deadline: what does not end in time is ended by force',
  'test/support/postgres/raw-client.ts': 'a deadline: the wait ends with the next bytes',
  'test/attacks/trials.ts': 'a deadline: a case that hangs has failed',
  'test/unit/client/process-lock.test.ts': 'in a process of its own, whose work must take a moment',
  'test/unit/core/inlet.test.ts': 'turns of the event loop, no time',
};

const tests = readSources('test').filter(({ path }) => !TIMED.test(path));

describe('waiting', () => {
  it('is for something, or for a reason: no test sleeps and hopes', () => {
    const waiting = tests.filter(({ path, text }) => path !== HELPER && WAITS.test(text));
    const paths = waiting.map(({ path }) => path).filter((path) => path !== 'test/unit/test-habits.test.ts');
    expect(paths.toSorted()).toEqual(Object.keys(MAY_WAIT).toSorted());
  });

  it('says why time must pass, in words', () => {
    const calls = tests
      .filter(({ path }) => path !== HELPER)
      .flatMap((file) => callsOf(file, 'timePasses').map((call) => ({ file, call })));
    expect(calls.length).toBeGreaterThan(10);
    const silent = calls.filter(({ call }) => {
      const why = call.arguments[1];
      return why === undefined || !ts.isStringLiteral(why) || why.text.split(' ').length < 3;
    });
    expect(silent.map(({ file, call }) => `${file.path}: ${call.getText()}`)).toEqual([]);
  });
});

describe('skips', () => {
  it('are said aloud: only behind cannot(why, …)', () => {
    const silent = tests.flatMap((file) =>
      ['skip', 'todo', 'only', 'runIf', 'skipIf', 'fails'].flatMap((word) =>
        callsOf(file, word)
          .filter((call) => isOfVitest(call) && !(word === 'skipIf' && saysWhy(file, call)))
          .map((call) => `${file.path}: ${call.getText().split('\n')[0]}`),
      ),
    );
    expect(silent).toEqual([]);
  });

  it('fail in CI', () => {
    const script = /^verdict\(\) \{\n\s*node -e '\n([\s\S]*?)\n\s*' "\$reports"\n\}/m.exec(
      readFileSync(join(ROOT, '.ci/run'), 'utf8'),
    )?.[1];
    expect(script).toBeDefined();
    const reports = mkdtempSync(join(tmpdir(), 'hoop-verdict-'));
    const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 0, testResults: [] };
    const verdict = (more: object) => {
      writeFileSync(join(reports, 'codes'), 'test 0\n');
      writeFileSync(join(reports, 'test.json'), JSON.stringify({ ...report, ...more }));
      try {
        const out = execFileSync(process.execPath, ['-e', script as string, reports], { encoding: 'utf8' });
        return out.trim().split('\n').at(-1);
      } catch (error) {
        return (error as { stdout: string }).stdout.trim().split('\n').at(-1);
      }
    };
    try {
      expect(verdict({})).toBe('7 passed, 0 failed');
      expect(verdict({ numPendingTests: 1 })).toBe('7 passed, 1 failed');
      expect(verdict({ numTodoTests: 2 })).toBe('7 passed, 2 failed');
    } finally {
      rmSync(reports, { recursive: true });
    }
  });
});

/** Calls of `name(…)` and of `something.name(…)`. */
function callsOf({ ast }: SourceFile, name: string): ts.CallExpression[] {
  const found: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const called = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
      if (called === name) found.push(node);
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

function isOfVitest({ expression }: ts.CallExpression): boolean {
  const root = expression.getText().split(/[.(]/)[0] ?? '';
  return ['it', 'test', 'describe', 'context', 'ctx', 'suite', 'skip'].includes(root);
}

/** Its condition is a call of `cannot`, or a constant that is one. */
function saysWhy({ text }: SourceFile, { arguments: [condition] }: ts.CallExpression): boolean {
  if (condition === undefined) return false;
  if (condition.getText().startsWith('cannot(')) return true;
  return ts.isIdentifier(condition) && text.includes(`const ${condition.text} = cannot(`);
}
