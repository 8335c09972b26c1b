import type { Invocation } from '../command.ts';
import { renderFacts } from '../render/table.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

/** Prints one event; nested fields as JSON on their line. */
export async function runShow(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const event = await withGateway(
    invocation,
    (gateway) => gateway.api.auditEvent(invocation.args[0]!),
    AS_PERSON,
  );
  if (io.json) {
    await io.value(event);
    return;
  }
  const facts = Object.entries(event)
    .filter(([name]) => name !== 'schemaVersion')
    .map(([name, value]) => [name, typeof value === 'string' ? value : jsonText(value, io.width)] as const);
  await io.line(renderFacts(facts, io.width).join('\n'));
}

/** On a terminal with blanks, at which its lines may be broken. Line feeds within texts are written as `\\n` by JSON itself. */
function jsonText(value: unknown, width: number): string {
  return Number.isFinite(width)
    ? JSON.stringify(value, undefined, 1).replace(/\n */g, ' ')
    : JSON.stringify(value);
}
