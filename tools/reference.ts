/** Writes docs/reference/box.yaml.md and relay.yaml.md from the schemas: `node tools/reference.ts`. */
import { writeFileSync } from 'node:fs';

import { referencePages } from './reference-page.ts';

for (const [file, text] of Object.entries(referencePages())) {
  writeFileSync(new URL(`../docs/reference/${file}`, import.meta.url), text);
}
