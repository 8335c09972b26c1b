import { MIGRATIONS } from './migrations.ts';
import type { PolicyPack } from './pack.ts';
import { PCI } from './pci.ts';
import { PII } from './pii.ts';
import { READ_ONLY_AGENT } from './read-only-agent.ts';

/** Every pack, in the order of the help. Their rules have names of their own: any of them stand side by side. */
export const PACKS: readonly PolicyPack[] = [READ_ONLY_AGENT, PII, PCI, MIGRATIONS];
