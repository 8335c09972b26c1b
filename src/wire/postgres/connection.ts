import { type Codec, codec } from './codec.ts';
import { BACKEND } from './types.ts';

/** What a cancel request must name. */
export interface BackendKeyData {
  readonly name: 'BackendKeyData';
  readonly processId: number;
  /** 4 octets in protocol 3.0, up to 256 in 3.2. */
  readonly key: Buffer;
}

export const BackendKeyData: Codec<BackendKeyData> = codec<BackendKeyData>(
  'BackendKeyData',
  BACKEND.BackendKeyData,
  (reader) => {
    const fields = { processId: reader.int32(), key: reader.rest() };
    if (fields.key.length < 4 || fields.key.length > 256) reader.fail('its key is not of 4 to 256 octets');
    return fields;
  },
  (writer, fields) => writer.int32(fields.processId).bytes(fields.key),
);

/** A setting's present value; sent at start and whenever it changes. */
export interface ParameterStatus {
  readonly name: 'ParameterStatus';
  readonly parameter: string;
  readonly value: string;
}

export const ParameterStatus: Codec<ParameterStatus> = codec<ParameterStatus>(
  'ParameterStatus',
  BACKEND.ParameterStatus,
  (reader) => ({ parameter: reader.string(), value: reader.string() }),
  (writer, fields) => writer.string(fields.parameter).string(fields.value),
);

/** Somebody's NOTIFY on a channel this connection listens to; may come between any two messages. */
export interface NotificationResponse {
  readonly name: 'NotificationResponse';
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

export const NotificationResponse: Codec<NotificationResponse> = codec<NotificationResponse>(
  'NotificationResponse',
  BACKEND.NotificationResponse,
  (reader) => ({ processId: reader.int32(), channel: reader.string(), payload: reader.string() }),
  (writer, fields) => writer.int32(fields.processId).string(fields.channel).string(fields.payload),
);

/** The backend speaks an older minor version than was asked for, or does not know some `_pq_.` options. */
export interface NegotiateProtocolVersion {
  readonly name: 'NegotiateProtocolVersion';
  /** The newest it speaks, as in StartupMessage: 196608 is 3.0, 196610 is 3.2. */
  readonly version: number;
  /** Names of the options it does not know. */
  readonly unknownOptions: readonly string[];
}

export const NegotiateProtocolVersion: Codec<NegotiateProtocolVersion> = codec<NegotiateProtocolVersion>(
  'NegotiateProtocolVersion',
  BACKEND.NegotiateProtocolVersion,
  (reader) => {
    const version = reader.uint32();
    const count = reader.uint32();
    if (count > reader.remaining) reader.fail(`${count} options cannot follow`);
    return { version, unknownOptions: Array.from({ length: count }, () => reader.string()) };
  },
  (writer, fields) => {
    writer.uint32(fields.version).uint32(fields.unknownOptions.length);
    for (const option of fields.unknownOptions) writer.string(option);
  },
);
