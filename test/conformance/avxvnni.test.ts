import { describeInstructionSet } from './suite.js';

describeInstructionSet('avxvnni');
