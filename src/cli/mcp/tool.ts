/**
 * What a tool is: data, and one function. The server, its documentation and its tests are made of it.
 */
import type { z } from 'zod';
import type { GatewayDesk } from './desk.ts';

export interface ToolContext {
  readonly desk: GatewayDesk;
  /** All that there are. */
  readonly tools: readonly Tool[];
  /** Aborted when the call is cancelled, takes too long, or the server ends. */
  readonly signal: AbortSignal;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  /** For the model: what it is for, what it gives, and what to do first. */
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** What resources speak that it is for. */
  readonly protocol?: string;
  /** Whether it does what this text says there. Absent: whatever its protocol has. Pure. */
  readonly does?: (operation: string) => boolean;
  /** It is for every resource. */
  readonly everywhere?: true;
  /** It may change what is at a target, where the server was started with `--write`. */
  readonly changes?: true;
  /** It changes nothing at a target, and something at the gateway: people are asked. */
  readonly asks?: true;
  /** Its answers hold what a target says. */
  readonly outside?: true;
  /** Most seconds that a call may take, of its input; default `CALL_SECONDS`. */
  seconds?(input: unknown): number;
  /** @throws {Refused} or {HoopError}: a tool error. */
  run(input: unknown, context: ToolContext): Promise<Record<string, unknown>>;
}

/** Seconds that a call may take where nobody says otherwise. */
export const CALL_SECONDS = 30;

interface ToolSpec<I extends z.ZodObject, O extends z.ZodObject>
  extends Omit<Tool, 'input' | 'output' | 'run' | 'seconds'> {
  readonly input: I;
  readonly output: O;
  readonly seconds?: (input: z.infer<I>) => number;
  readonly run: (input: z.infer<I>, context: ToolContext) => Promise<z.infer<O>>;
}

/** Gives up the types between input and function, once they are checked. Pure. */
export function tool<I extends z.ZodObject, O extends z.ZodObject>(spec: ToolSpec<I, O>): Tool {
  return spec as unknown as Tool;
}
