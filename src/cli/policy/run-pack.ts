import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../core/disk/folders.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { filled } from '../render/may.ts';
import { renderTable } from '../render/table.ts';
import { PACKS } from './packs/index.ts';
import type { PolicyPack } from './packs/pack.ts';

const MIN_SUMMARY = 20;

/** Lists the packs, or prints or writes one. */
export async function runPack(invocation: Invocation): Promise<undefined> {
  const { args, options, io } = invocation;
  const [name] = args;
  const dir = textOption(invocation, 'write');
  if (name === undefined) {
    if (dir !== undefined || options['tests'] === true)
      throw new HoopError('ERR_USAGE', 'of which pack?', { hint: 'see: hoopctl policy pack' });
    await list(invocation);
    return;
  }
  const pack = PACKS.find((one) => one.name === name);
  if (pack === undefined)
    throw new HoopError('ERR_USAGE', `there is no pack "${name}"`, { hint: 'see: hoopctl policy pack' });
  if (dir !== undefined) await write(pack, dir, invocation);
  else if (io.json) await io.value(pack);
  else await io.write(options['tests'] === true ? pack.cases : pack.policies);
}

async function list({ io }: Invocation): Promise<void> {
  if (io.json) for (const { name, summary, over } of PACKS) await io.value({ name, summary, over });
  else {
    await io.line(packLines(io.width).join('\n'));
  }
}

/**
 * A table, or where the terminal is too narrow for what the packs are for, each with that below it: a sentence that was cut says nothing.
 *
 * Pure. @param width Columns of the terminal; Infinity breaks no line.
 */
export function packLines(width: number): string[] {
  const rows = PACKS.map(({ name, summary, over }) => [name, over, summary]);
  const table = renderTable(['PACK', 'OVER', 'WHAT'], rows);
  if (table.every((line) => line.length <= width)) return table;
  return PACKS.flatMap(({ name, summary, over }) => [
    over === undefined ? name : `${name} (over ${over})`,
    ...filled(summary.split(' '), Math.max(MIN_SUMMARY, width - 2)).map((line) => `  ${line}`),
  ]);
}

/** Never over a file that is there: it may have been changed. */
async function write({ name, policies, cases }: PolicyPack, dir: string, { io }: Invocation): Promise<void> {
  const files = [
    { path: join(dir, `${name}.cedar`), text: policies },
    { path: join(dir, `${name}.tests.yaml`), text: cases },
  ];
  try {
    makeFolders(dir, 0o777);
    for (const { path, text } of files) await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    const { code, message, path } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw new HoopError('ERR_USAGE', `${path ?? dir} exists, and is not written over`, {
        hint: 'name another directory, or move it away',
        cause,
      });
    throw new HoopError('ERR_USAGE', `${dir} cannot be written to (${code ?? message})`, { cause });
  }
  if (io.json) await io.value({ name, files: files.map(({ path }) => path) });
  else for (const { path } of files) await io.line(path);
}
