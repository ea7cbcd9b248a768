import { describeInstructionSet } from './suite.js';

describeInstructionSet('neondot');
