// Makes the keys of a new platform in the folder that all containers see, once, and says where they are.
import { openHome } from '../home/home.ts';
import { openKeys } from '../home/keys.ts';

const home = openHome(process.env['OPENSCF_KEYS'] ?? '/keys');
openKeys(home);
console.log('The keys are there.');
