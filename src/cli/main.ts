/**
 * hoopctl's entry. Only commander and the commands' data are loaded here; what a command needs, it loads itself.
 */
import { COMMANDS } from './commands/index.ts';
import { hoopctl } from './hoopctl.ts';

await hoopctl(COMMANDS);
