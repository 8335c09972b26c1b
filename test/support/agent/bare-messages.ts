/** A driver that speaks PostgreSQL's protocol as it is: what psql has no command for. */
import { bind, execute, functionCall, line, parse, query, rawLogin, sync } from '../postgres/raw-client.ts';
import type { Tunnel } from '../stack.ts';
import { type Program, psql } from './programs.ts';

/** `query SQL`, `call OID VALUES`, `prepare TYPE-OID SQL`, `message TYPE LENGTH` (a bare head), each in a session of its own. It prints as psql does. */
export const bareMessages: Program = {
  async run([word = ''], env) {
    const [what = '', first = '', ...rest] = word.split(' ');
    const tunnel = {
      host: env['PGHOST'],
      port: Number(env['PGPORT']),
      user: env['PGUSER'],
      password: env['PGPASSWORD'],
      database: env['PGDATABASE'],
    } as Tunnel;
    const client = await rawLogin(tunnel);
    if (what === 'message') client.socket.write(head(first, Number(rest[0])));
    else if (what === 'call') client.send(functionCall(Number(first), ...rest));
    else if (what === 'prepare')
      client.send(
        parse('', rest.join(' '), [Number(first)]),
        bind('', '', { values: [null] }),
        execute(''),
        sync,
      );
    else client.send(query([first, ...rest].join(' ')));
    const messages = await client.untilReady();
    client.close();
    const error = messages.find((message) => message.name === 'ErrorResponse');
    const field = (code: string) => error?.fields.find(([one]) => one === code)?.[1].toString() ?? '';
    const rows = messages.map(line).filter((said) => /^(DataRow|FunctionCallResponse) /.test(said));
    return {
      code: error === undefined ? 0 : 1,
      stdout: rows.map((said) => said.slice(said.indexOf(' ') + 1)).join('\n'),
      stderr: error === undefined ? '' : `ERROR:  ${field('M')}\nHINT:  ${field('H')}\n`,
    };
  },
  told: psql.told,
};

function head(type: string, length: number): Buffer {
  const octets = Buffer.from(`${type}....`);
  octets.writeInt32BE(length, 1);
  return octets;
}
