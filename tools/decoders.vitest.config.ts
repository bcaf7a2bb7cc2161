/** How much of what reads a stranger's bytes the tests of it walk through: prints a table, fails below the floor. */
import { defineConfig } from 'vitest/config';

/** Everything that takes apart what came from outside. */
const decoders = [
  'core/src/wire/control-stream.ts',
  'core/src/egress-policy.ts',
  'core/src/wire/frame.ts',
  'core/src/wire/opening.ts',
  'core/src/stream/receive-buffer.ts',
  'core/src/session/receiver.ts',
  'core/src/stream/used-numbers.ts',
  'core/src/wire/wire.ts',
  'daemon/src/hello-frame.ts',
  'daemon/src/peer-message.ts',
  'daemon/src/reception.ts',
  'engine/src/worker/strand-listener.ts',
  'engine/src/worker/strand-socket.ts',
  'schema/src/hello.ts',
  'schema/src/peer-message.ts',
];
/** Of all their branches together; what is missing are errors of the kernel that no test can call for, and defaults for the compiler. */
const branchesMin = 85;

/** @public Read by vitest. */
export default defineConfig({
  test: {
    root: '.',
    include: [
      'core/test/**/*.test.ts',
      'daemon/test/{handshake,hostile,peer-message}.test.ts',
      'schema/test/*.test.ts',
      'engine/test/strand-*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/*.root.test.ts'],
    isolate: false,
    testTimeout: 60_000,
    reporters: [['default', { summary: false }]],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: decoders,
      reporter: ['text'],
      thresholds: { branches: branchesMin },
    },
  },
});
