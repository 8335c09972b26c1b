import { z } from 'zod';
import { PROTOCOLS } from '../../protocols/index.ts';
import { configSchema } from './schema.ts';

/** The JSON Schema (draft 2020-12) of `hoopd.yaml` as people write it, for editors. Pure; never throws. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema('/', PROTOCOLS), { io: 'input', unrepresentable: 'any' });
  return { title: 'hoopd.yaml', description: 'Configuration of the hoopd gateway.', ...schema };
}
