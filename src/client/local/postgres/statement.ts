/**
 * What hoopctl itself says to a server: that it asks ahead for a statement and that it runs one must be the same octets, or a
 * yes to the one would not be a yes to the other.
 */
import { Bind, Execute, Parse } from '../../../wire/postgres/extended.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import { encodeStartup, PROTOCOL_3_0 } from '../../../wire/postgres/startup.ts';
import type { AheadQuestion } from '../protocol.ts';

/** What clients of a resource log in with; the gateway knows who they are. */
export interface SessionNames {
  readonly user: string;
  readonly database: string;
}

/** The first message of a session. Pure. */
export function introduction(names: SessionNames): Buffer {
  const parameters = new Map(Object.entries({ ...names, application_name: 'hoopctl' }));
  const version = PROTOCOL_3_0;
  return encodeStartup({ name: 'StartupMessage', version, parameters, protocolOptions: new Map() });
}

/** One statement and its values as text, whose types the server finds out: Parse and Bind without names. Pure. */
export function prepared({ text, parameters }: AheadQuestion): Buffer {
  const values = parameters.map((value) => (value === null ? null : Buffer.from(value)));
  return Buffer.concat([
    Parse.encode({ statement: '', sql: text, parameterTypes: [] }),
    Bind.encode({ portal: '', statement: '', parameterFormats: [], parameters: values, resultFormats: [] }),
  ]);
}

/** Runs what is prepared, in a transaction of its own where none is open. Pure. @param maxRows 0: all. */
export function executed(maxRows: number): Buffer {
  return Buffer.concat([Execute.encode({ portal: '', maxRows }), encodeFrontend({ name: 'Sync' })]);
}
