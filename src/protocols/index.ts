import { http } from './http/module.ts';
import { kubernetes } from './kubernetes/module.ts';
import { postgres } from './postgres/module.ts';
import type { Protocol } from './protocol.ts';
import { ssh } from './ssh/module.ts';

/** What hoopd speaks. A gateway can be started with another list: see `LoadOptions.protocols`. */
export const PROTOCOLS: readonly Protocol[] = [postgres, http, ssh, kubernetes];
