import type { Explanation } from '../../api/explanation.ts';
import { HoopError } from '../../core/errors.ts';
import { askedOver, operationOf } from '../ahead.ts';
import type { Invocation } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import { placeOf } from '../connect/plan.ts';
import { renderExplanation } from '../render/explanation.ts';
import { withGateway } from '../with-gateway.ts';

const EXIT: Readonly<Record<Explanation['effect'], number>> = { allow: 0, hold: 75, deny: 77 };

/**
 * Has one operation explained, and runs nothing.
 *
 * @returns 0 it would run; 75 it would need an approval; 77 it would be denied.
 */
export async function runExplain(invocation: Invocation): Promise<number> {
  const { args, io } = invocation;
  const resource = args[0]!;
  const operation = await operationOf(invocation);
  if (operation === undefined)
    throw new HoopError('ERR_USAGE', 'which operation?', { hint: "give it with -c 'TEXT' or -f FILE" });
  const options = { resource, asks: 'explains', ...placeOf(invocation) } as const;
  return withGateway(invocation, async (gateway) => {
    const { explanation } = await askedOver(gateway, options, operation, CLIENTS);
    if (explanation === undefined)
      throw new HoopError('ERR_PROTOCOL', 'the gateway did not say what policy would');
    if (io.json) await io.value(explanation);
    else for (const line of renderExplanation(explanation, resource, io.width)) await io.line(line);
    return EXIT[explanation.effect];
  });
}
