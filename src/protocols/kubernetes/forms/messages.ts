import written from './messages.json' with { type: 'json' };

/** A field of a message, as JSON has it. */
export interface MessageField {
  readonly name: string;
  /** Text, boolean, integer, octets, or the name of a message. */
  readonly type: string;
  /** One value; a list; a mapping from texts; the members of another message, among its own. */
  readonly how: 'one' | 'list' | 'mapping' | 'inline';
}

export interface Message {
  readonly fields: ReadonlyMap<number, MessageField>;
  /** It is its only field, and no object in JSON. */
  readonly wraps: boolean;
}

const HOW: Readonly<Record<string, MessageField['how']>> = { '*': 'list', '%': 'mapping', '^': 'inline' };

/** All messages that objects are made of, by name: `core.v1.Pod`. Made by `npm run schemas -- kubernetes`. */
export const MESSAGES: ReadonlyMap<string, Message> = new Map(
  Object.entries(written.messages).map(([name, text]) => [name, messageOf(text)]),
);

/** The version of the module `k8s.io/api` by which they are described: `v0.33.3`. */
export const API_RELEASE: string = written.api;

/** `1 volumes *core.v1.Volume, 3 restartPolicy s`; `= ` before it where it wraps. */
function messageOf(text: string): Message {
  const wraps = text.startsWith('= ');
  const fields = text
    .slice(wraps ? 2 : 0)
    .split(', ')
    .filter((one) => one !== '')
    .map((one): [number, MessageField] => {
      const [number = '', name = '', type = ''] = one.split(' ');
      const how = HOW[type.charAt(0)];
      return [Number(number), { name, type: how === undefined ? type : type.slice(1), how: how ?? 'one' }];
    });
  return { wraps, fields: new Map(fields) };
}
