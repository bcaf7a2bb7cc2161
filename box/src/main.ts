import { runMain } from '@tresse/daemon';

import { boxCommand } from './command.ts';

await runMain(async () => {
  await boxCommand().parseAsync();
});
