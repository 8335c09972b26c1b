/** Walks through a page of the documentation: runs what it says to type, and compares what it says that is printed. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/source-tree.ts';

/** What stands on a page in one place: lines to type, and what they print. */
export interface Step {
  readonly commands: readonly string[];
  /** Undefined: the page does not say. */
  readonly printed: string | undefined;
}

/** What a page gives in another language than a shell's, in order: `yaml`, `cedar`. */
export function blocksOf(page: string, language: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, of, body = '']) =>
    of === language ? [body] : [],
  );
}

/** Lines of one command are joined where they end with a backslash. */
export function stepsOf(page: string): Step[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const steps: { commands: string[]; printed: string | undefined }[] = [];
  for (const [, language, body = ''] of text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const last = steps.at(-1);
    if (language === 'sh')
      steps.push({ commands: body.trimEnd().replaceAll('\\\n', ' ').split('\n'), printed: undefined });
    else if (language === '' && last !== undefined) last.printed = (last.printed ?? '') + body;
  }
  return steps;
}

const ID = /\b(apr|ses|op|ins|run|evt)_[0-9A-Z]{26}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** Without what is another each time. */
function plain(text: string): string {
  return text
    .replace(ID, '$1_ID')
    .replace(TIME, 'TIME')
    .replace(/\b\d+ (min|ms)\b/g, 'N $1')
    .replace(/^\[\d\d:\d\d\.\d{3}\]/gm, '[AT]')
    .replace(/\b[0-9a-f]{16}\b/g, 'VERSION')
    .replace(/^(binding +)[0-9a-f]{64}$/gm, '$1HASH')
    .replace(/\b127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/^(PGPORT=)\d+$/gm, '$1PORT')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{2,}/g, '\n')
    .trim();
}

/** As `bin/hoopd.js` does, from source. */
const HOOPD = `import("${join(ROOT, 'src', 'gateway', 'main.ts')}").then(({ run }) => run(["node", "hoopd", ...process.argv.slice(1)]))`;

/** `…` within a line stands for anything in it. */
function saysThat(expected: string, actual: string): boolean {
  const parts = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(actual);
}

/** One reader of pages: what they have typed before is known by its ids. */
export class Walk {
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;
  /** What an id on a page is really. */
  readonly #ids = new Map<string, string>();

  /** @param directory Where commands are typed. @param configDir hoopctl's. */
  constructor(directory: string, configDir: string) {
    this.#directory = directory;
    const inherited = Object.entries(process.env).filter(([name]) => !/^(HOOPCTL_|PG[A-Z]+$)/.test(name));
    const own = { HOOPCTL_CONFIG_DIR: configDir, HOOPCTL_SECRET_STORE: 'file', NO_COLOR: '1' };
    this.#env = { ...Object.fromEntries(inherited), ...own };
  }

  /** What the id of a page really is, once it was printed. */
  id(onPage: string): string {
    return this.#ids.get(onPage) ?? onPage;
  }

  /**
   * Types what a page says, line by line.
   *
   * @returns Lines of the page that were not printed so, and those that were printed in their place; both as they are compared.
   */
  async take({ commands, printed }: Step): Promise<{ readonly page: string[]; readonly real: string[] }> {
    let real = '';
    for (const command of commands) {
      real += await this.type(command);
      this.#learn(printed ?? '', real);
    }
    if (printed === undefined) return { page: [], real: [] };
    const [said, actual] = [printed, real].map((text) => plain(text).split('\n')) as [string[], string[]];
    const [expected, shown] =
      said.at(-1) === '…' ? [said.slice(0, -1), actual.slice(0, said.length - 1)] : [said, actual];
    const same = expected.map((line, at) => saysThat(line, shown[at] ?? ''));
    return {
      page: expected.filter((_, at) => same[at] !== true),
      real: shown.filter((_, at) => same[at] !== true),
    };
  }

  /** @returns What is printed, on either output. */
  async type(command: string): Promise<string> {
    const hoopctl = `'${process.execPath}' '${join(ROOT, 'src', 'cli', 'main.ts')}'`;
    const hoopd = `'${process.execPath}' -e '${HOOPD}' --`;
    const own = command.replaceAll('npx hoopctl', hoopctl).replaceAll('npx hoopd', hoopd);
    const real = own.replace(ID, (id) => this.id(id));
    const child = spawn('sh', ['-c', `exec 2>&1; ${real}`], { cwd: this.#directory, env: this.#env });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    return printed;
  }

  #learn(onPage: string, real: string): void {
    const [there, here] = [onPage, real].map((text) => [...text.matchAll(ID)].map(([id]) => id));
    for (const [at, id] of (there ?? []).entries()) {
      const found = here?.[at];
      if (found?.slice(0, 4) === id.slice(0, 4) && !this.#ids.has(id)) this.#ids.set(id, found);
    }
  }
}
