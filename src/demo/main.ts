import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { HoopError, isHoopError } from '../core/errors.ts';
import { charsetOf } from '../core/terminal/charset.ts';
import { HOST } from './host.ts';
import { type PlaySummary, play } from './play.ts';
import { isFree } from './ports.ts';
import { AGENT, RESOURCE } from './scenes/agent.ts';
import { API } from './scenes/caller.ts';
import { type Stage, setStage } from './stage.ts';
import { Story } from './story.ts';

const DEFAULT_DIRECTORY = '.demo';
const DEFAULT_PORT = 7443;
const DEFAULT_IDP_PORT = 7480;

const HELP = `Usage: hoopd demo [--once] [--dir DIRECTORY] [--port N]

Starts a real PostgreSQL, an identity provider and a gateway on this machine, plays a session that an agent would,
and stays until Ctrl-C, for you to try.

  --once           play, print one JSON object as the last line, and exit: 0 only if all went as it must
  --dir DIRECTORY  where configuration, policies and state go (default ${DEFAULT_DIRECTORY}; with --once a temporary one)
  --port N         the gateway's port (default ${DEFAULT_PORT}; with --once any free one)
  -h, --help       this text
`;

interface DemoOptions {
  readonly once: boolean;
  readonly directory: string | undefined;
  readonly port: number | undefined;
}

/**
 * `hoopd demo`.
 *
 * Effects: everything is on loopback and below one directory; ends whatever it started, also on SIGINT, SIGTERM and
 * SIGHUP. The story goes to standard output, trouble to standard error.
 *
 * @param argv What follows `demo` on the command line.
 * @returns The exit code: 0, 64 usage, 70 the play went wrong, 78 something it needs is missing or taken.
 */
export async function runDemo(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const { isTTY, columns } = process.stdout;
  const story = new Story(
    process.stdout,
    isTTY === true && !process.env['NO_COLOR'],
    isTTY && columns > 40 ? columns : Number.POSITIVE_INFINITY,
    charsetOf(process.env),
  );
  let stage: Stage | undefined;
  try {
    stage = await prepare(options, story);
    return await perform(options, stage, story, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 130;
  } finally {
    await stage?.close();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  }
}

function parseOptions(argv: readonly string[]): DemoOptions | undefined {
  const options = {
    once: { type: 'boolean' },
    dir: { type: 'string' },
    port: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true });
    if (values.help) return undefined;
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
      throw new Error(`--port ${values.port} is not a port`);
    }
    return { once: values.once === true, directory: values.dir, port };
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new HoopError('ERR_USAGE', message, { hint: 'see hoopd demo --help' });
  }
}

async function prepare(options: DemoOptions, story: Story): Promise<Stage> {
  const { once } = options;
  const port = options.port ?? (once ? undefined : DEFAULT_PORT);
  if (port !== undefined && !(await isFree(port))) {
    throw new HoopError('ERR_CONFIG', `port ${port} is taken`, {
      hint: 'end the demo that may be running, or choose another port: npm start -- --port N',
    });
  }
  const directory = options.directory ?? (once ? undefined : DEFAULT_DIRECTORY);
  story.plain('hoopd demo: a shop, an agent, and a gateway between them. Starting:');
  const startedAt = performance.now();
  const stage = await setStage({
    directory,
    port,
    idpPort: once || !(await isFree(DEFAULT_IDP_PORT)) ? 0 : DEFAULT_IDP_PORT,
    onStep: (text) => story.say(text),
    onReload: (text) => story.plain(`${new Date().toISOString().slice(11, 19)} ${text}`),
  });
  const ms = Math.round(performance.now() - startedAt);
  story.say(`ready in ${(ms / 1000).toFixed(1)} s; configuration and policy are in ${stage.directory}`);
  return stage;
}

async function perform(options: DemoOptions, stage: Stage, story: Story, stop: AbortSignal): Promise<number> {
  const { summary, problems } = await untilAborted(play(stage, story), stop);
  for (const problem of problems) process.stderr.write(`hoopd demo: ${problem}\n`);
  if (options.once) {
    process.stdout.write(`${JSON.stringify(summary satisfies PlaySummary)}\n`);
    return problems.length === 0 ? 0 : 70;
  }
  story.plain(invitation(stage));
  await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  story.plain('\nEnding.');
  return 0;
}

/** What to type in another terminal, ready to be pasted. */
function invitation(stage: Stage): string {
  const { gateway, idp } = stage;
  const near = relative(process.cwd(), stage.caFile);
  const ca = near.startsWith('..') ? stage.caFile : near;
  return `
Now you. In another terminal, in this folder:

  npx hoopctl login --gateway ${gateway.url} --ca ${ca} --agent ${AGENT}

    It shows a code: open the link in any browser and confirm as Ada, or, without a browser, in a third terminal:

  curl -d user_code=THE-CODE -d login=ada ${idp.issuer}/demo/approve

  npx hoopctl connect ${RESOURCE} -- psql -c 'SELECT name, email, phone, ssn FROM customers LIMIT 5'
  npx hoopctl connect ${RESOURCE} -- psql -c 'DELETE FROM payments'
  npx hoopctl connect ${API} -- sh -c 'curl "$API_DEMO_URL/customers/1"'
  npx hoopctl ssh ${HOST} -- cat /var/log/shop.log
  npx hoopctl audit search --outcome failure
  npx hoopctl session list
  npx hoopctl session replay THE-SESSION
  npx hoopctl ui

The rules are in ${stage.directory}/policies/shop.cedar: change them, and this terminal says what became of it.
Ctrl-C ends everything.`;
}

/** Ctrl-C during the play does not wait for its end. */
function untilAborted<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new HoopError('ERR_SESSION_ENDED', 'interrupted'));
    if (stop.aborted) return abort();
    stop.addEventListener('abort', abort, { once: true });
    work.then(resolve, (error: unknown) =>
      reject(isHoopError(error) ? error : new HoopError('ERR_INTERNAL', String(error))),
    );
  });
}
