import { describeInstructionSet } from './suite.js';

describeInstructionSet('avx512vnni');
