import type { ResourceItem } from '../../api/contract.ts';
import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { mayLines } from '../render/may.ts';
import { renderTable } from '../render/table.ts';
import { remember, withGateway } from '../with-gateway.ts';

export const resourceList: CommandSpec = {
  path: ['resource', 'list'],
  summary: 'list what can be reached, what may be done there, and what needs an approval',
  options: ATTENUATION_OPTIONS,
  gateway: 'as-agent',
  examples: ['hoopctl resource list', "hoopctl resource list --json | jq -r '.name'"],
  exitCodes: [67, 69, 77],
  async run(invocation) {
    const { io } = invocation;
    const resources = await withGateway(invocation, async (gateway) => {
      const listed = await gateway.api.resources(true);
      await remember(gateway, 'resources', listed);
      return listed;
    });
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
    const table = renderTable(
      ['NAME', 'PROTOCOL', 'CONNECT', 'ACCESS', 'MASKED'],
      rows,
      io.width,
      io.charset,
    );
    await io.line([...table, ...mayLines(resources, io.width)].join('\n'));
  },
};

/** Longer than that is for programs: a host's key. `--json` has it. */
const MAX_FACT_LENGTH = 40;

/** `database shop, user hoop`: each protocol has facts of its own. */
function factsOf({ connect }: ResourceItem): string {
  const { protocol: _, ...facts } = connect;
  return Object.entries(facts)
    .filter(([, value]) => String(value).length <= MAX_FACT_LENGTH)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
