import { z } from 'zod';
import type { MayItem } from '../../../api/contract.ts';
import { attenuationText } from '../../attenuation.ts';
import { tool } from '../tool.ts';
import { shownName } from '../words.ts';

export const listResources = tool({
  name: 'list_resources',
  title: 'List resources',
  description:
    'Call this first. Lists the databases, APIs, clusters and hosts that you may reach, which tools serve each, whether a ' +
    'connection needs an approval, what policy lets you do there, and whether values come masked; and who you are to the gateway.',
  input: z.strictObject({}),
  output: z.object({
    you: z.object({
      name: z.string(),
      for: z.string().optional().describe('The person on whose authority you act.'),
      until: z.string().describe('When this login ends at the latest.'),
      gave_up: z
        .string()
        .optional()
        .describe('What this server gave up of your rights: read-only, only some names.'),
    }),
    resources: z.array(
      z.object({
        name: z.string(),
        protocol: z.string(),
        connection: z.enum(['permitted', 'needs an approval']),
        masks: z.boolean().describe('Some values come masked there.'),
        may: z
          .array(
            z.object({
              actions: z.array(z.string()),
              effect: z.enum(['allow', 'hold', 'deny', 'depends']),
              among: z.array(z.enum(['allow', 'hold', 'deny'])).optional(),
              approvals: z.array(z.string()).optional(),
            }),
          )
          .optional()
          .describe(
            'By policy: what is allowed, needs an approval (hold), is refused, or depends on the object.',
          ),
        database: z.string().optional(),
        tools: z.array(z.string()),
      }),
    ),
  }),
  async run(_input, { desk, tools }) {
    const servedBy = (protocol: string) =>
      tools.filter((one) => one.protocol === protocol || one.everywhere === true).map(({ name }) => name);
    const { api } = await desk.gateway();
    const [me, items] = await Promise.all([api.whoami(), api.resources(true)]);
    const gaveUp = attenuationText(me.attenuation);
    const { person } = me;
    return {
      you: {
        name: shownName(me.name),
        ...(person === undefined || person === me.name ? {} : { for: shownName(person) }),
        until: me.deadline,
        ...(gaveUp === undefined ? {} : { gave_up: gaveUp }),
      },
      resources: items.map(({ name, protocol, access, masks, may, connect: { database } }) => ({
        name: shownName(name),
        protocol,
        connection: access === 'hold' ? ('needs an approval' as const) : ('permitted' as const),
        masks,
        ...(may === undefined ? {} : { may: may.map(shownMay) }),
        ...(typeof database === 'string' ? { database: shownName(database) } : {}),
        tools: servedBy(protocol),
      })),
    };
  },
});

/** Names of approvals are written by whoever wrote the policies. */
function shownMay({ actions, effect, among, approvals }: MayItem) {
  return {
    actions: [...actions],
    effect,
    ...(among === undefined ? {} : { among: [...among] }),
    ...(approvals === undefined ? {} : { approvals: approvals.map(shownName) }),
  };
}
