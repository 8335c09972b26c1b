/** Messages as the transcripts write them: `Query "select 1"`, `DataRow 1|***`, `ErrorResponse 42501 "…" (rule)`. */
import type { BackendMessage } from '../../../src/wire/postgres/backend.ts';
import { encodeFrontend, type FrontendMessage } from '../../../src/wire/postgres/frontend.ts';
import type { Report } from '../../../src/wire/postgres/report.ts';
import {
  bind,
  closePortal,
  closeStatement,
  copyData,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  functionCall,
  line,
  parse,
  query,
} from './raw-client.ts';

/** One message, in one line. */
export function said(message: FrontendMessage | BackendMessage): string {
  switch (message.name) {
    case 'Query':
      return `Query ${JSON.stringify(message.sql)}`;
    case 'Parse':
      return `Parse ${JSON.stringify(message.statement)} ${JSON.stringify(message.sql)}`;
    case 'Bind':
      return ['Bind', message.portal, message.statement, ...message.parameters.map(text)]
        .map((word, index) => (index === 0 ? word : JSON.stringify(word)))
        .join(' ');
    case 'Describe':
    case 'Close':
      return `${message.name} ${message.kind} ${JSON.stringify(message.target)}`;
    case 'Execute':
      return `Execute ${JSON.stringify(message.portal)} ${message.maxRows}`;
    case 'CopyData':
      return `CopyData ${JSON.stringify(message.data.toString())}`;
    case 'CopyFail':
      return `CopyFail ${JSON.stringify(message.reason)}`;
    case 'FunctionCall':
      return `FunctionCall ${message.oid}`;
    case 'RowDescription':
      return `RowDescription ${message.columns.map(({ name }) => name.toString()).join('|')}`;
    case 'ErrorResponse':
    case 'NoticeResponse':
      return report(message);
    case 'Flush':
    case 'Sync':
    case 'Terminate':
    case 'AuthenticationResponse':
      return message.name;
    default:
      return line(message);
  }
}

function text(value: Buffer | null): string | null {
  return value?.toString() ?? null;
}

function report({ name, fields }: Report<'ErrorResponse' | 'NoticeResponse'>): string {
  const get = (code: string) => String(fields.find(([one]) => one === code)?.[1] ?? '');
  const rule = /^\{"rule":"([^"]+)"/.exec(get('H'))?.[1];
  const detail = get('D') === '' ? '' : ` ${JSON.stringify(get('D'))}`;
  return `${name} ${get('C')} ${JSON.stringify(get('M'))}${detail}${rule === undefined ? '' : ` (${rule})`}`;
}

/** The message that a line of a client's stands for. @throws {Error} There is none. */
export function meant(line: string): Buffer {
  const words = [...line.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map(([word]) => word);
  const [name, ...rest] = words.map((word) => (word.startsWith('"') ? (JSON.parse(word) as string) : word));
  const [one = '', two = '', ...more] = rest;
  switch (name) {
    case 'Query':
      return query(one);
    case 'Parse':
      return parse(one, two);
    case 'Bind':
      return bind(one, two, { values: more });
    case 'Describe':
      return one === 'P' ? describePortal(two) : describeStatement(two);
    case 'Close':
      return one === 'P' ? closePortal(two) : closeStatement(two);
    case 'Execute':
      return execute(one, Number(two));
    case 'FunctionCall':
      return functionCall(Number(one), ...rest.slice(1));
    case 'CopyData':
      return copyData(one);
    case 'CopyFail':
      return copyFail(one);
    case 'CopyDone':
    case 'Flush':
    case 'Sync':
    case 'Terminate':
      return encodeFrontend({ name });
    default:
      throw new Error(`no message: ${line}`);
  }
}
