import type { CommandSpec } from '../command.ts';
import { renderTable } from '../render/table.ts';

const HEADINGS = ['NAME', 'GATEWAY', 'AGENT', 'LOGIN'];

export const profileList: CommandSpec = {
  path: ['profile', 'list'],
  summary: 'list the profiles of this user on this machine, and where each has its login',
  description:
    'What hoopctl login made. No gateway is asked: hoopctl whoami says whether a login still holds.',
  gateway: 'none',
  examples: ['hoopctl profile list', "hoopctl profile list --json | jq -r '.name'"],
  exitCodes: [78],
  async run({ io }) {
    const { configDir } = await import('../../client/store/private-files.ts');
    const { readProfiles } = await import('../../client/store/profiles.ts');
    const profiles = [...(await readProfiles(configDir(io.env))).values()];
    if (io.json) {
      for (const { name, gateway, agent, secretStore } of profiles)
        await io.value({ name, gateway, agent, secretStore });
      return;
    }
    if (profiles.length === 0) return void io.note('there is no profile: hoopctl login makes one');
    const rows = profiles.map(({ name, gateway, agent = '', secretStore = 'logged out' }) => [
      name,
      gateway,
      agent,
      secretStore,
    ]);
    await io.line(renderTable(HEADINGS, rows, io.width, io.charset).join('\n'));
  },
};
