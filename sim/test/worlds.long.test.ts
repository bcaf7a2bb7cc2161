/** The other half of the worlds: `make test` plays them, `make check` has no time to. */
import { testWorlds } from './seeds.ts';

testWorlds(1);
