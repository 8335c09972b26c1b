import { isAlias, isNode, isScalar, type Node, type ParsedNode, parseDocument, visit } from 'yaml';
import { type Json, numberOf } from '../guards/json.ts';
import { textOf } from './text.ts';
import { Unreadable } from './wire-reader.ts';

/** Octets. Others wait while it is read, which takes far longer than JSON. */
const MAX_YAML = 64 * 1024;
/** Plain words that YAML 1.1 takes for yes and no, for numbers in other bases or with signs between the digits, and for times of day. */
const AMBIGUOUS =
  /^(?:y|n|yes|no|on|off|=|<<|[-+]?0b[01_]+|[-+]?0o?[0-9_]+|[-+]?\.?[0-9][0-9_.]*_[0-9_.]*|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$/i;

/**
 * What a text of YAML says, where all readers agree on it: one document, no anchors, no tags, no name twice, names that are texts, and no
 * plain word that YAML 1.1 and 1.2 read in two ways, as servers and clients do.
 *
 * Pure.
 *
 * @throws {Unreadable} It is not that, or longer than 64 KiB.
 * @see https://yaml.org/spec/1.2.2/
 */
export function objectInYaml(octets: Uint8Array): Json {
  if (octets.length > MAX_YAML) throw new Unreadable(`the YAML is longer than ${MAX_YAML} octets: send JSON`);
  const text = textOf(octets);
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      uniqueKeys: true,
      intAsBigInt: true,
      prettyErrors: false,
      logLevel: 'error',
    });
    const [mistake] = [...document.errors, ...document.warnings];
    if (mistake !== undefined) throw new Unreadable(`the YAML cannot be read: ${mistake.message}`);
    if (document.contents === null) throw new Unreadable('the YAML is empty');
    if (document.directives.yaml.explicit === true)
      throw new Unreadable('the YAML says by which version it is read');
    demandPlain(document.contents);
    return document.toJS({ maxAliasCount: 0, reviver: (_name, value) => plainNumber(value) }) as Json;
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable('the YAML cannot be read');
  }
}

function demandPlain(contents: ParsedNode): void {
  visit(contents, {
    Node(_key, node) {
      demandOneReading(node);
    },
    Pair(_key, { key }) {
      if (!isNode(key) || !isScalar(key) || typeof key.value !== 'string')
        throw new Unreadable('the YAML has a name that is no text: put it in quotes');
      demandOneReading(key);
    },
  });
}

function demandOneReading(node: Node): void {
  if (isAlias(node) || ('anchor' in node && node.anchor !== undefined))
    throw new Unreadable('the YAML has an anchor');
  if (node.tag !== undefined) throw new Unreadable('the YAML has a tag');
  if (isScalar(node) && node.type === 'PLAIN' && AMBIGUOUS.test(node.source ?? ''))
    throw new Unreadable('the YAML has a plain word that readers take in two ways: put it in quotes');
}

function plainNumber(value: Json): Json {
  if (typeof value === 'bigint') return numberOf(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Unreadable('the YAML has a number that JSON has not');
  return value;
}
