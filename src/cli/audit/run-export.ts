import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { AuditChainItem } from '../../api/contract.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { makeFolders } from '../../core/disk/folders.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

/** Writes every chain as it is stored: to a file each (0600, none is overwritten), or one after the other to stdout. */
export async function runExport(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const directory = textOption(invocation, 'output');
  await withGateway(
    invocation,
    async (gateway) => {
      const chains = await gateway.api.auditChains();
      if (directory !== undefined) makeFolders(directory, 0o700);
      for (const chain of chains) {
        if (directory === undefined) await toStdout(invocation, gateway, chain);
        else await toFile(invocation, gateway, chain, directory);
      }
      if (directory !== undefined && !io.json)
        io.note(`${chains.length} ${chains.length === 1 ? 'chain is' : 'chains are'} in ${directory}`);
    },
    AS_PERSON,
  );
}

async function toStdout({ io }: Invocation, gateway: OpenGateway, chain: AuditChainItem): Promise<void> {
  for await (const chunk of await gateway.api.auditChain(chain.id, io.signal)) await io.write(chunk);
}

async function toFile(
  { io }: Invocation,
  gateway: OpenGateway,
  chain: AuditChainItem,
  directory: string,
): Promise<void> {
  // The name comes from the gateway: it must stay a name.
  if (!/^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,200}$/.test(chain.id)) {
    throw new HoopError('ERR_VERIFY', `the gateway names a chain that cannot be a file: ${chain.id}`);
  }
  const path = join(directory, `${chain.id}.ndjson`);
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const exists = error.code === 'EEXIST';
    throw new HoopError(
      'ERR_USAGE',
      exists ? `${path} exists` : `${path} cannot be written (${error.code})`,
      {
        hint: 'export into an empty directory of your own',
      },
    );
  });
  const octets = await gateway.api.auditChain(chain.id, io.signal);
  await pipeline(octets, file.createWriteStream(), { signal: io.signal });
  if (io.json) await io.value({ kind: 'exported', chain: chain.chain, file: path });
  else await io.line(path);
}
