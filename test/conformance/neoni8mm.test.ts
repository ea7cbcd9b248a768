import { describeInstructionSet } from './suite.js';

describeInstructionSet('neoni8mm');
