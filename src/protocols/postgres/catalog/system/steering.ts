import { builtinClass, type FunctionTraits } from './functions.ts';

/**
 * What the body of a function in SQL or PL/pgSQL must hold to change a search path that outlives it, or to make something
 * temporary: the commands, dynamic SQL, and what runs SQL given as text. A column named so counts as well.
 */
export const STEERING_CODE = [
  'set_config|search_path|pg_settings',
  'execute|_to_xml|ts_stat|ts_rewrite|u&',
  String.raw`\m(temp|temporary)\M|pg_temp|discard|reset`,
  String.raw`schema|grant|revoke|authorization|\mset\M.*\mrole\M`,
].join('|');

/** What the body of a function must hold to make, drop or rename relations, temporary ones among them. */
export const RESHAPING_CODE = String.raw`\m(create|alter|drop|import|discard)\M`;

/** The built-in that sets anything. What a statement itself calls it with is read; what stands in a view is not. */
const SETS_CONFIG = 'set_config';
/** Its rows can be updated, which sets them; so can those of a view on it. */
const SETTINGS_VIEW = 'pg_settings';

/** Whether a built-in function, called by what the gateway does not read, changes settings. */
export function setsSettings({ schema, name }: { readonly schema: string; readonly name: string }): boolean {
  return schema === 'pg_catalog' && name === SETS_CONFIG;
}

/** Whether what calls it by OID, unread, may change where names are looked up: what it is given is not known. */
export function mayMove(fn: FunctionTraits): boolean {
  if (setsSettings(fn)) return true;
  return fn.schema === 'pg_catalog' && builtinClass(fn.name) === 'unsafe' && fn.volatility !== 'immutable';
}

/** Whether a write to the relation changes settings. */
export function holdsSettings({ schema, name }: { readonly schema: string; readonly name: string }): boolean {
  return schema === 'pg_catalog' && name === SETTINGS_VIEW;
}
