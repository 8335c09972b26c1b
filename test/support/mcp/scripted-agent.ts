/** An agent that follows a script, and knows nothing but tools and what refusals say. */
import { timePasses } from '../waiting.ts';
import type { Answer, McpAgent, Told } from './agent.ts';

type Input = Record<string, unknown>;

/** Who can be told something, as an agent tells the person it works for. */
interface People {
  approve?(approval: string): Promise<void>;
  asked?(hint: string): Promise<void>;
}

export class ScriptedAgent {
  readonly mcp: McpAgent;
  readonly people: People;
  readonly refusals: Told[] = [];

  constructor(mcp: McpAgent, people: People = {}) {
    this.mcp = mcp;
    this.people = people;
  }

  /** Calls a tool until it does what it is called for. @param ways Other words for the same task, from which a refusal chooses. */
  async work(name: string, input: Input, ways: readonly Input[] = []): Promise<Answer> {
    let call: readonly [string, Input] = [name, input];
    for (let turn = 0; turn < 100; turn++) {
      const { value, told } = await this.mcp.attempt(...call);
      if (told === undefined) return value;
      this.refusals.push(told);
      call = await this.#recover(told, call, ways);
    }
    throw new Error('it went round in circles');
  }

  async #recover(told: Told, call: readonly [string, Input], ways: readonly Input[]) {
    const [name, input] = call;
    const { hint = '', message } = told;
    if (hint.includes('call request_approval')) {
      await this.#approved(input);
      return call;
    }
    if (hint.includes('ask the person you work for') && told.retryable) {
      await this.people.asked?.(hint);
      return call;
    }
    if (told.retryable) {
      await timePasses(200, 'the hint says to call again in a while');
      return call;
    }
    const [, at] = /near character (\d+)/.exec(hint) ?? [];
    if (at !== undefined)
      return [name, { ...input, sql: without(String(input['sql']), Number(at)) }] as const;
    const [, masked] = /column \S+\.(\w+) is masked/.exec(message) ?? [];
    const other = masked === undefined ? undefined : ways.find(({ sql }) => !String(sql).includes(masked));
    if (other !== undefined) return [name, { ...input, ...other }] as const;
    const [, method, path] = /\b(GET|POST|PUT) (\/\S+)/.exec(hint) ?? [];
    if (path !== undefined) return [name, { ...input, method, path }] as const;
    throw new Error(`it knows no way on: ${JSON.stringify(told)}`);
  }

  async #approved({ resource, ...operation }: Input): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      const asked = await this.mcp.call('request_approval', {
        resource,
        operation,
        reason: 'the task says so',
      });
      if (asked.needed === false) return;
      await this.people.approve?.(asked.approval);
      let state = asked;
      while (state.status === 'pending')
        state = await this.mcp.call('approval_status', { approval: asked.approval, wait_seconds: 5 });
      if (state.next.startsWith('make the call now') && asked.for === 'one operation') return;
    }
  }
}

/** The character at this place, counted from 1, taken out. */
function without(text: string, place: number): string {
  return text.slice(0, place - 1) + text.slice(place);
}
