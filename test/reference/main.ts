/** `npm run docs:reference`: writes the pages of docs/reference/ anew. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/source-tree.ts';
import { referencePages } from './pages.ts';

mkdirSync(join(ROOT, 'docs/reference'), { recursive: true });
for (const [path, text] of Object.entries(referencePages())) writeFileSync(join(ROOT, path), text);
