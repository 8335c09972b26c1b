import { cliReference } from './cli.ts';
import { configurationReference } from './configuration.ts';
import { errorsReference } from './errors.ts';
import { eventsReference } from './events.ts';

/** Pages that are made of the code, by their paths from the root. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    'docs/reference/cli.md': cliReference(),
    'docs/reference/configuration.md': configurationReference(),
    'docs/reference/errors.md': errorsReference(),
    'docs/reference/events.md': eventsReference(),
  };
}
