import { tmpdir } from 'node:os';
import { APPS } from '../../schemas/apps.ts';
import { sqlOf } from '../../schemas/fetch.ts';
import { Client } from '../psql/client.ts';
import { Script } from '../psql/script.ts';
import type { Server } from '../servers.ts';
import { Tally } from '../tally.ts';

/**
 * Applications' own structure files, run as psql runs them, and what the applications ask all day over that.
 *
 * @throws {Error} A package that brings one cannot be had here.
 */
export async function apps(server: Server): Promise<Tally> {
  const tally = new Tally('apps', server.major);
  for (const { name, source, files, rows, queries } of APPS) {
    tally.at = name;
    await server.make(name);
    const client = await Client.open(server, tally, { database: name });
    try {
      await new Script(client, sqlOf(source, files), tmpdir()).run();
      const asked = queries.map(([, sql]) => sql);
      await new Script(client, [rows, ...asked].join(';\n'), tmpdir()).run();
    } finally {
      client.session().close();
    }
  }
  return tally;
}
