import { runMain } from '@tresse/daemon';

import { relayCommand } from './command.ts';

await runMain(async () => {
  await relayCommand().parseAsync();
});
