import { createSecretKey } from 'node:crypto';
import { expect, it } from 'vitest';
import { PseudonymKey, Pseudonyms } from '../../../../src/masking/pseudonyms.ts';
import { fieldObject } from '../../../../src/protocols/http/shown/classification.ts';
import { FieldPseudonyms } from '../../../../src/protocols/http/shown/field-pseudonyms.ts';
import { agent, engineOf, resource } from '../../policy/support.ts';

const KEY = new PseudonymKey(createSecretKey(Buffer.alloc(32, 1)));

/** How a member with these tags is masked for a principal under these rules: a domain's name, or a mask. */
function maskOf(policies: string, tags: readonly string[] = ['pii.email']): string {
  const engine = engineOf(
    `@id("read") permit (principal, action in Action::"http.read", resource); ${policies}`,
  );
  const giver = {
    mayEver: (
      ...[action, object, reach]: Parameters<ConstructorParameters<typeof FieldPseudonyms>[0]['mayEver']>
    ) => engine.mayEver(agent('bot', []), action, object, reach),
    pseudonyms: (domain: string) => KEY.of([], domain),
  };
  const mask = new FieldPseudonyms(giver, resource).of(fieldObject(resource, 'GET /people', '$.mail', tags));
  return mask instanceof Pseudonyms ? mask.domain : String(mask);
}

it('are given to who only reads, the same to all members of the same tags', () => {
  expect(maskOf('')).toBe('pii.email');
  expect(maskOf('', ['b', 'a'])).toBe(maskOf('', ['a', 'b']));
  expect(maskOf('@id("d") permit (principal, action == Action::"http.delete", resource);')).toBe('pii.email');
});

it.each(['http.post', 'http.put', 'http.patch', 'http.connect', 'rpc.call', 'mcp.call'])(
  'are refused to who might %s, at whatever path',
  (verb) => {
    const rule = `@id("w") permit (principal, action == Action::"${verb}", resource) when { resource.path like "/notes/*" };`;
    expect(maskOf(rule)).toBe('redact');
  },
);
