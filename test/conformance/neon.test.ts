import { describeInstructionSet } from './suite.js';

describeInstructionSet('neon');
