import { describeInstructionSet } from './suite.js';

describeInstructionSet('scalar');
