/** A worker that does what its host tells it, for the tests of both. */
import { closeFd } from '../../src/descriptors.ts';
import { READABLE } from '../../src/epoll.ts';
import { setLingerReset } from '../../src/socket-options.ts';
import { accept } from '../../src/socket.ts';
import { openWake, wake } from '../../src/wake.ts';
import { runWorker } from '../../src/worker-context.ts';
import { listening } from '../connection.ts';

export type Order =
  | { do: 'echo'; value: unknown }
  | { do: 'open'; count: number }
  | { do: 'close'; fd: number }
  | { do: 'hand over'; fd: number }
  | { do: 'throw'; text: string }
  | { do: 'throw in a descriptor handler'; text: string }
  | { do: 'block'; ms: number }
  | { do: 'serve' }
  | { do: 'exit' };

export type Answer =
  | { said: 'ready' }
  | { said: 'echo'; value: unknown }
  | { said: 'opened'; fds: number[] }
  | { said: 'handed over'; fd: number }
  | { said: 'serving'; port: number }
  | { said: 'accepted' }
  | { said: 'stopping' };

export interface SubjectData {
  /** Throw already at the start. */
  readonly broken?: boolean;
  /** Throw at the end. */
  readonly clumsy?: boolean;
}

runWorker<Order, Answer, SubjectData>((context) => {
  if (context.data.broken) throw new Error('broken from birth');
  const { loop, post } = context;
  context.onMessage((order) => {
    switch (order.do) {
      case 'echo':
        post({ said: 'echo', value: order.value });
        break;
      case 'open': {
        const fds = Array.from({ length: order.count }, () => openWake());
        for (const fd of fds) loop.add(fd, READABLE, () => {});
        post({ said: 'opened', fds });
        break;
      }
      case 'close':
        loop.remove(order.fd);
        closeFd(order.fd);
        break;
      case 'hand over':
        context.handOver(order.fd, { said: 'handed over', fd: order.fd });
        break;
      case 'throw':
        throw new TypeError(order.text);
      case 'throw in a descriptor handler': {
        const fd = openWake();
        loop.add(fd, READABLE, () => {
          throw new TypeError(order.text);
        });
        wake(fd);
        break;
      }
      case 'block': {
        const end = performance.now() + order.ms;
        while (performance.now() < end);
        break;
      }
      case 'serve': {
        const { fd, port } = listening();
        loop.add(fd, READABLE, () => {
          setLingerReset(accept(fd), true);
          post({ said: 'accepted' });
        });
        post({ said: 'serving', port });
        break;
      }
      case 'exit':
        process.exit(3);
    }
  });
  context.onStop(() => {
    if (context.data.clumsy) throw new Error('clumsy goodbye');
    post({ said: 'stopping' });
  });
  post({ said: 'ready' });
});
