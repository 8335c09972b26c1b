import { describe, expect, it } from 'vitest';
import { EventMasker } from '../../../../src/protocols/http/shown/events/event-masker.ts';
import { FormMasker } from '../../../../src/protocols/http/shown/form-masker.ts';
import { TableMasker } from '../../../../src/protocols/http/shown/table-masker.ts';
import { detecting, fields, shownAlways, shownOf } from './support.ts';

const EMAIL = fields({ '$.email': 'redact', '$.who.ssn': 'redact' })!;

describe('events', () => {
  const both = () => new EventMasker(EMAIL, detecting());
  const detected = () => new EventMasker(undefined, detecting());

  it.each<[text: string, shown: string]>([
    ['data: {"email":"a"}\n\n', 'data: {"email":"***"}\n\n'],
    ['\ufeffdata:{"email":1}\r\n\r\n: hello\r\n\r\n', 'data: {"email":null}\r\n\r\n: hello\r\n\r\n'],
    [
      'event: x\rdata: {"email":\rdata: "a",\rid: 7\rdata: "n":1}\r\r',
      'event: x\rdata: {"email":\rdata: "***",\rdata: "n":1}\rid: 7\r\r',
    ],
    ['data: {"n": 1}\nretry: 10\n\ndata\n\n', 'data: {"n": 1}\nretry: 10\n\ndata\n\n'],
    ['data: [DONE]\n\n', 'data: [DONE]\n\n'],
    ['data: hello\n\n', 'data: ***\n\n'],
    ['data: {"email":"a"\n\n', 'data: ***\n\n'],
    ['data: {"x":"123-45-6789"}\n\n: 123-45-6789\n\n', 'data: {"x":"***"}\n\n: ***\n\n'],
    ['data: {"email":"a"}', 'data: {"email":"***"}\n'],
    ['\n\r\n\r\r\n', '\n\r\n\r\r\n'],
  ])('%j', (text, shown) => {
    expect(shownAlways(both, text)).toBe(shown);
  });

  it('of any text where no members are masked', () => {
    expect(shownAlways(detected, 'data: mail a@b.nl\ndata: or\n\ndata: {not json 123-45-6789\n\n')).toBe(
      'data: mail ***\ndata: or\n\ndata: {not json ***\n\n',
    );
  });

  it('go on as soon as they are whole', () => {
    const masker = both();
    expect(masker.push(Buffer.from('data: {"email":'))).toBeUndefined();
    expect(String(masker.push(Buffer.from('"a"}\n\ndata: ')))).toBe('data: {"email":"***"}\n\n');
    expect(masker.maskedValues).toBe(1);
  });

  it('are within their bound', () => {
    const masker = both();
    expect(() => {
      for (let i = 0; i < 20; i++) masker.push(Buffer.from(`data: ${'x'.repeat(65_536)}\n`));
    }).toThrow('an event in it');
  });
});

describe('tables', () => {
  const make = () => new TableMasker(EMAIL, detecting());

  it.each<[text: string, shown: string]>([
    ['id,email,note\n1,alice,x\n2,"b,""c\nd",123-45-6789\n', 'id,email,note\n1,***,x\n2,"***",***\n'],
    ['\ufeff"E-mail";" Email "\r\nx;y\r\n', '\ufeff"E-mail";" Email "\r\nx;***\r\n'],
    ['id\temail\n1\ta', 'id\temail\n1\t***'],
    ['who.ssn,who[ssn],ssn\n1,2,3\n', 'who.ssn,who[ssn],ssn\n***,***,3\n'],
    ['id\n1,extra\n', 'id\n1,***\n'],
    ['email,x\n,\n\n', 'email,x\n,\n\n'],
    ['', ''],
  ])('%j', (text, shown) => {
    expect(shownAlways(make, text)).toBe(shown);
  });

  it.each(['a;b,email\n1;2,3\n', 'id,email\n1,x"y"\n', 'id,email\n1,"x"y\n', 'id,email\n1,"x\n'])(
    'not shown: %j',
    (text) => {
      expect(() => shownOf(make(), [Buffer.from(text)])).toThrow(
        expect.objectContaining({ code: 'ERR_TARGET_LOST' }),
      );
    },
  );
});

describe('forms', () => {
  const make = () => new FormMasker(EMAIL, detecting());

  it.each<[text: string, shown: string]>([
    ['email=a%40b&n=1+2&x', 'email=***&n=1+2&x'],
    ['e%6Dail=a&EMAIL=b&email', 'email=***&EMAIL=***&email'],
    ['who%5Bssn%5D=1&who.ssn=2', 'who%5Bssn%5D=***&who.ssn=***'],
    ['x=mail+a%40b.nl&123-45-6789=y', 'x=mail%20***&***=y'],
    ['&&=&a==b', '&&=&a==b'],
  ])('%j', (text, shown) => {
    expect(shownAlways(make, text)).toBe(shown);
  });

  it.each(['a=%', 'a=%ff', 'a=b c', 'a=é'])('not shown: %j', (text) => {
    expect(() => shownOf(make(), [Buffer.from(text)])).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_LOST' }),
    );
  });
});
