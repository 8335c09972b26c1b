import type { Duplex } from 'node:stream';
import type { Heard } from './trial.ts';

/** Counts what a target hears, connection by connection. */
export class Hearing {
  heard: Heard = { connections: 0, octets: 0 };

  /** One more connection. Servers of Node's read past listeners for octets: what their parser is given is seen here. */
  of(socket: Duplex): void {
    const connections = this.heard.connections + 1;
    this.heard = { connections, octets: 0 };
    socket.on('data', (chunk: Buffer) => {
      if (connections === this.heard.connections)
        this.heard = { connections, octets: this.heard.octets + chunk.length };
    });
  }
}
