/** The other half of the packet worlds: `make test` plays them, `make check` has no time to. */
import { testPacketWorlds } from './packet-seeds.ts';

testPacketWorlds(1);
