/** The other half of the worlds, in a file of its own so that two cores run them. */
import { testWorlds } from './seeds.ts';

testWorlds(1);
