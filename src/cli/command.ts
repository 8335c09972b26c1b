/**
 * What a command is: data, and one function. The program, its help, its reference page and its tests are made of it.
 */
import type { Io } from './io.ts';

export interface CommandSpec {
  /** `['audit', 'search']`. */
  readonly path: readonly string[];
  /** One line, lower case, no period. */
  readonly summary: string;
  /** More lines for the command's own help. */
  readonly description?: string;
  /** As commander writes them: `<resource>`, `[query...]`. */
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /**
   * As whom it talks to a gateway; adds the options for that. `as-person` leaves the profile's agent aside: looking
   * at evidence and ending sessions is for people, and for machines whose token names their agent anyway.
   */
  readonly gateway: 'none' | 'as-agent' | 'as-person';
  /** Whether `-- COMMAND …` may follow. */
  readonly takesCommand?: boolean;
  readonly examples: readonly string[];
  /** Beside 0, 64 and 70. */
  readonly exitCodes: readonly number[];
  /** @returns The exit code; nothing means 0. @throws {HoopError} anything for the user. */
  run(invocation: Invocation): Promise<number | undefined>;
}

interface ArgumentSpec {
  readonly syntax: string;
  readonly text: string;
  /** All values that there are: shells complete them. */
  readonly choices?: readonly string[];
}

export interface OptionSpec {
  /** `--limit <n>`. */
  readonly flags: string;
  readonly text: string;
  /** What to do where its value is empty, if more can be said than that a variable is not set. */
  readonly whenEmpty?: string;
  /** All values that there are: shells complete them. */
  readonly choices?: readonly string[];
}

/** One call of a command. */
export interface Invocation {
  readonly args: readonly string[];
  /** By camel-case name; absent if not given. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** What came after `--`. */
  readonly command: readonly string[];
  readonly io: Io;
}

const JSON_OPTION: OptionSpec = { flags: '--json', text: 'machine-readable output (schemaVersion 1)' };

const GATEWAY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--profile <name>', text: 'profile to use (HOOPCTL_PROFILE; default "default")' },
  { flags: '--gateway <url>', text: "gateway, https://host:port (HOOPCTL_GATEWAY; default the profile's)" },
  { flags: '--ca <file>', text: "PEM file of the gateway's certificate authority; only it is trusted then" },
];

const AGENT_OPTIONS: readonly OptionSpec[] = [
  { flags: '--agent <name>', text: "agent to act as, as the gateway's configuration names it" },
  { flags: '--model <name>', text: 'model that drives the agent, for policy and audit' },
  { flags: '--model-version <version>', text: "the model's version" },
];

/** All options of a command, common ones last. */
export function optionsOf(spec: CommandSpec): readonly OptionSpec[] {
  return [
    ...(spec.options ?? []),
    ...(spec.gateway === 'as-agent' ? AGENT_OPTIONS : []),
    ...(spec.gateway === 'none' ? [] : GATEWAY_OPTIONS),
    JSON_OPTION,
  ];
}

/** For whoever has a gateway's configuration at hand, and looks here for what checks it. */
export const HOOPD_CHECK =
  "a gateway's configuration and its policies are checked by: hoopd check --config FILE";

/** An option's text, or `undefined`. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === 'string' ? value : undefined;
}

export const EXIT_TEXTS: Readonly<Record<number, string>> = {
  0: 'done',
  64: 'the call is not valid',
  67: 'not logged in, or the login has expired',
  69: 'the gateway, the identity provider or the target cannot be reached, is busy, or is of a version that does not fit',
  70: 'internal error',
  75: 'an approval is needed, or was not given in time',
  76: 'verification failed',
  77: 'denied, or no such thing for you',
  78: 'configuration; of every command: standard output cannot be written to',
};
