import { wrapped } from '../../core/terminal/prose.ts';
import { NOTE_INDENT } from '../io.ts';
import { visible } from '../render/text.ts';
import type { PreparedEnd } from './prepare.ts';

export interface ReadyFacts extends PreparedEnd {
  /** The only one: what it needs can be exported. */
  readonly alone: boolean;
  /** RFC 3339. */
  readonly deadline: string;
}

/**
 * What a person types next, for stderr. Nothing in it can move the cursor, whatever the gateway named things.
 *
 * @param ends What ends the tunnel.
 * @param width Columns of a terminal. What is to be typed is not broken.
 */
export function readyText(
  { end, setup, alone, deadline }: ReadyFacts,
  ends = 'Ctrl-C',
  width = Number.POSITIVE_INFINITY,
): string {
  const { resource, address } = end;
  const where = address.kind === 'port' ? `${address.host}:${address.port}` : address.path;
  const ready = `hoopctl: ${visible(resource.name)} is ready on ${visible(where)} until ${deadline}; ${ends} ends it`;
  const lines = [
    wrapped(ready, width, NOTE_INDENT),
    ...setup.steps(end, alone).map((line) => `  ${visible(line)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for programs, for stdout. */
export function readyValue({ end, setup, deadline }: ReadyFacts): object {
  const { resource, address } = end;
  const place =
    address.kind === 'port'
      ? { host: address.host, port: address.port }
      : { host: address.directory, port: address.port, socket: address.path };
  const { name, protocol } = resource;
  return { kind: 'listening', resource: name, protocol, ...place, ...setup.facts(end), deadline };
}
