import { describeInstructionSet } from './suite.js';

describeInstructionSet('avx2');
