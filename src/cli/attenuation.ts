/**
 * Options by which a process asks for less than its login may do, and how the answer is shown.
 */
import type { AttenuationItem } from '../api/contract.ts';
import type { Attributes } from '../client/gateway-client.ts';
import { type Invocation, type OptionSpec, textOption } from './command.ts';

export const ONLY_OPTION: OptionSpec = {
  flags: '--only <names>',
  text: 'give up the rest: only these resources, actions or groups of actions, by commas (pg-prod,sql.select)',
};

export const ATTENUATION_OPTIONS: readonly OptionSpec[] = [
  ONLY_OPTION,
  { flags: '--read-only', text: 'give up everything that writes' },
];

/** The options, as the exchange takes them. */
export function attenuationChoice(invocation: Invocation): Pick<Attributes, 'only' | 'readOnly'> {
  const only = textOption(invocation, 'only');
  return {
    ...(only === undefined ? {} : { only }),
    ...(invocation.options['readOnly'] === true ? { readOnly: true } : {}),
  };
}

/** `read-only, only pg-prod, only sql.select`; undefined where nothing was given up. */
export function attenuationText(attenuation: AttenuationItem | undefined): string | undefined {
  if (attenuation === undefined) return undefined;
  const { readOnly, resources, actions } = attenuation;
  const only = (names: readonly string[] | undefined, none: string) =>
    names === undefined ? [] : [names.length === 0 ? none : `only ${names.join(' ')}`];
  const parts = [
    ...(readOnly ? ['read-only'] : []),
    ...only(resources, 'no resource'),
    ...only(actions, 'no action'),
  ];
  return parts.join(', ');
}
