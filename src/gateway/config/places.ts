import { resolve } from 'node:path';
import { parsed } from '../../core/config/shape.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `0.0.0.0:7443`, `[::]:7443`, `:7443`; port 0 lets the system choose. */
export function parseListen(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9.-]{0,253})):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  return { host: match[1] ?? (match[2] === '' ? '::' : match[2]!), port };
}

/** `sqlite:DIR` and the like: one known scheme, then a path. */
export function located(base: string, scheme: string, example: string) {
  return parsed(`${scheme}:DIRECTORY`, `write ${example}`, (input) =>
    input.startsWith(`${scheme}:`) && input.length > scheme.length + 1 && !input.includes('\0')
      ? resolve(base, input.slice(scheme.length + 1))
      : undefined,
  );
}
