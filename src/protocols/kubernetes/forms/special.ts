import { type Json, parsedToWrite } from '../guards/json.ts';
import { textOf } from './text.ts';
import { Unreadable } from './wire-reader.ts';

type Members = Readonly<Record<string, Json>>;

/** Messages that are no objects in JSON, and what they are there. Given their members as they were read. */
export const SPECIAL: ReadonlyMap<string, (members: Members) => Json> = new Map<
  string,
  (members: Members) => Json
>([
  ['resource.Quantity', quantity],
  ['resource.QuantityValue', quantity],
  ['intstr.IntOrString', ({ type = 0, intVal = 0, strVal = '' }) => (type === 0 ? intVal : strVal)],
  ['meta.v1.Time', (members) => moment(members, 0)],
  ['meta.v1.MicroTime', (members) => moment(members, 6)],
  ['meta.v1.Duration', ({ duration = 0 }) => `${String(duration)}ns`],
  ['meta.v1.FieldsV1', within],
  ['runtime.RawExtension', within],
]);

/** The largest moment that has a date, seconds. */
const MAX_SECONDS = 253_402_300_799;

function quantity({ string }: Members): Json {
  return string === undefined || string === '' ? '0' : string;
}

/** @param digits Of its fraction. @see RFC 3339 §5.6 */
function moment({ seconds, nanos = 0 }: Members, digits: number): Json {
  if (seconds === undefined) return null;
  if (typeof seconds !== 'number' || typeof nanos !== 'number' || Math.abs(seconds) > MAX_SECONDS)
    throw new Unreadable('the protobuf has a time that is none');
  const whole = new Date(seconds * 1000).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  return digits === 0 ? `${whole}Z` : `${whole}.${String(nanos).padStart(9, '0').slice(0, digits)}Z`;
}

/** JSON, as it stands in there. */
function within({ '-': base64 = '' }: Members): Json {
  const text = textOf(Buffer.from(String(base64), 'base64'));
  if (text === '') return null;
  try {
    return parsedToWrite(text);
  } catch {
    throw new Unreadable('the protobuf holds an object in yet another form');
  }
}
