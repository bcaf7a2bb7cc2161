/** A program whose worker waits in its loop while the main thread leaves; run as a process by its test. */
import { WorkerHost } from '../../src/worker-host.ts';
import type { Answer, Order, SubjectData } from './subject.ts';

const host: WorkerHost<Order, Answer, SubjectData> = new WorkerHost(
  new URL('./subject.ts', import.meta.url),
  {},
  {
    onMessage: () => {
      host.post({ do: 'echo', value: 1 });
      if (process.argv[2] === 'throw') throw new RangeError('main fails');
      process.exit(5);
    },
    onFault: () => process.exit(1),
  },
);
