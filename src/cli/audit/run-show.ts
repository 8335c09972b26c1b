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
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const);
  await io.line(renderFacts(facts, io.width).join('\n'));
}
