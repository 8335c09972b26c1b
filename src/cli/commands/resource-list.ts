import type { ResourceItem } from '../../api/contract.ts';
import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { renderTable } from '../render/table.ts';
import { withGateway } from '../with-gateway.ts';

export const resourceList: CommandSpec = {
  path: ['resource', 'list'],
  summary: 'list what can be reached, and what needs an approval first',
  options: ATTENUATION_OPTIONS,
  gateway: 'as-agent',
  examples: ['hoopctl resource list', "hoopctl resource list --json | jq -r '.name'"],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const resources = await withGateway(invocation, (gateway) => gateway.api.resources());
    if (io.json) {
      for (const resource of resources) await io.value(resource);
      return;
    }
    if (resources.length === 0) {
      io.note('there is nothing here that you may reach');
      return;
    }
    const rows = resources.map((item) => [
      item.name,
      item.protocol,
      factsOf(item),
      item.access === 'allow' ? 'allowed' : 'needs approval',
      item.masks ? 'yes' : 'no',
    ]);
    await io.line(
      renderTable(['NAME', 'PROTOCOL', 'CONNECT', 'ACCESS', 'MASKED'], rows, io.width).join('\n'),
    );
  },
};

/** `database shop, user hoop`: each protocol has facts of its own. */
function factsOf({ connect }: ResourceItem): string {
  const { protocol: _, ...facts } = connect;
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
