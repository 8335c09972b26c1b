import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hoopctl } from '../../../src/demo/hoopctl.ts';
import { play } from '../../../src/demo/play.ts';
import { signIn } from '../../../src/demo/scenes/sign-in.ts';
import { type Stage, setStage } from '../../../src/demo/stage.ts';
import { Story } from '../../../src/demo/story.ts';
import { blocksOf, type Step, stepsOf, Walk } from '../../docs/walk.ts';
import { eventually } from '../../support/waiting.ts';

let directory: string;
let stage: Stage;
let walk: Walk;

/** As a reader has it: the demo has played, and they have signed in as the pages say. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hoop-tutorials-'));
  stage = await setStage({ directory: undefined, port: undefined, idpPort: 0 });
  symlinkSync(stage.directory, join(directory, '.demo'));
  const story = new Story(new Writable({ write: (_chunk, _encoding, done) => done() }), false);
  await play(stage, story);
  const home = join(directory, 'home');
  const reader = new Hoopctl(home);
  await signIn(stage, story, reader, 'ada', ['--agent', 'shop-copilot']);
  await signIn(stage, story, reader, 'grace', ['--profile', 'grace']);
  walk = new Walk(directory, home);
});
afterAll(async () => {
  await stage?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Changes something, and waits for what hoopd says of it. */
async function inForce(word: string, change: () => void): Promise<void> {
  const log = () => readFileSync(join(stage.directory, 'hoopd.log'), 'utf8');
  const from = log().length;
  change();
  await eventually(word, log, (text) => text.slice(from).includes(word));
}

/** They are signed in. */
const typed = ({ commands, printed }: Step): Step => ({
  commands: commands.filter((one) => !one.startsWith('npx hoopctl login')),
  printed,
});
const page = (name: string) => stepsOf(`docs/tutorials/${name}.md`).map(typed);
const asPrinted = { page: [], real: [] };
/** Without what goes on until it is ended, or needs what the demo has not. */
const readme = stepsOf('README.md').filter(({ commands }) =>
  commands.every(
    (one) => /^npx hoopctl (?!login|ui)/.test(one) && !/--port|--profile|--reason|k8s/.test(one),
  ),
);
const developer = page('developer');
const agent = page('agent');
const approver = page('approver');

describe('what a page says is printed', () => {
  test('README: there are steps to take', () => expect(readme.length).toBeGreaterThan(4));

  test.each(readme)('README: $commands.0', async (step) => {
    expect(await walk.take(step)).toEqual(asPrinted);
  });

  test.each(developer)('developer: $commands.0', async (step) => {
    expect(await walk.take(step)).toEqual(asPrinted);
  });

  test.each(agent.slice(0, -1))('agent: $commands.0', async (step) => {
    expect(await walk.take(step)).toEqual(asPrinted);
  });

  test.each(approver.slice(0, -1))('approver: $commands.0', async (step) => {
    expect(await walk.take(step)).toEqual(asPrinted);
  });

  test('approver: a yes on no terminal says that it is one', async () => {
    const [yes = ''] = approver.at(-1)?.commands ?? [];
    expect(yes).toContain('approval approve apr_');
    const said = await walk.type(yes.replace('approval approve', 'approval approve --yes'));
    expect(said).toContain(`${walk.id(yes.split(' ')[4] ?? '')}: approved\n`);
  });

  test('security engineer: a rule that is tried, added, mistaken and misspelt', async () => {
    const [tried, added, mistaken, misspelt, ...others] = page('security-engineer') as Step[];
    expect(others).toEqual([]);
    const [checks = ''] = blocksOf('docs/tutorials/security-engineer.md', 'yaml');
    const [rule = ''] = blocksOf('docs/tutorials/security-engineer.md', 'cedar');
    writeFileSync(join(directory, 'checks.yaml'), checks);
    expect(await walk.take(tried!)).toEqual(asPrinted);
    const file = join(stage.directory, 'policies', 'shop.cedar');
    const before = readFileSync(file, 'utf8');
    await inForce('configuration reloaded', () => appendFileSync(file, `\n${rule}`));
    expect(await walk.take(added!)).toEqual(asPrinted);
    const mistake = 'permit (principal, action == Action::"sql.reed", resource);\n';
    await inForce('stays in force', () => appendFileSync(file, mistake));
    expect(await walk.take(mistaken!)).toEqual(asPrinted);
    const wrong = rule.replace('public.payments', 'public.payment');
    await inForce('a name means nothing', () => writeFileSync(file, `${before}\n${wrong}`));
    expect(await walk.take(misspelt!)).toEqual(asPrinted);
    await inForce('configuration reloaded', () => writeFileSync(file, before));
  });

  test('agent: what was approved', async () => {
    const last = agent.at(-1) as Step;
    expect(await walk.take(last)).toEqual(asPrinted);
  });
});
