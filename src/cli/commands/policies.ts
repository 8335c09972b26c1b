import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import { OPERATION_OPTIONS } from '../operation-options.ts';

export const policyExplain: CommandSpec = {
  path: ['policy', 'explain'],
  summary: 'say what policy would make of one operation, rule by rule, and run nothing',
  description:
    'The gateway reads it as it would to run it, at the resource as it is now, and judges it for you: everything that it would do, ' +
    'which rules decide, what of its answer is masked. Nobody is asked, nothing reaches the target, and that it was asked is on ' +
    'record. Exit code: 0 it would run, 75 it would need an approval, 77 it would be denied.',
  arguments: [{ syntax: '<resource>', text: 'as hoopctl resource list names them' }],
  options: [...OPERATION_OPTIONS, ...ATTENUATION_OPTIONS],
  gateway: 'as-agent',
  examples: CLIENTS.map(({ help }) => help.examples.explain),
  exitCodes: [67, 69, 75, 77],
  run: async (invocation) => (await import('../policy/run-explain.ts')).runExplain(invocation),
};

export const policyTest: CommandSpec = {
  path: ['policy', 'test'],
  summary: 'try cases against the policy in force, and run nothing',
  description:
    'The file is YAML: under tests: a list of cases, each with resource, command and expect (allow, hold or deny), and if you like ' +
    'rule, rows, approvals, masked and shown. Each is explained as by hoopctl policy explain, for you as you are logged in, and ' +
    'compared. Exit code: 0 all as expected, 76 some not.',
  arguments: [{ syntax: '<file>', text: 'cases in YAML' }],
  options: [{ flags: '--junit <path>', text: 'write a report for CI there as well' }, ...ATTENUATION_OPTIONS],
  gateway: 'as-agent',
  examples: [
    'hoopctl policy test policy-tests.yaml',
    'hoopctl policy test policy-tests.yaml --junit report.xml',
  ],
  exitCodes: [67, 69, 76, 77, 78],
  run: async (invocation) => (await import('../policy/run-test.ts')).runTest(invocation),
};
