import { ATTENUATION_OPTIONS } from '../attenuation.ts';
import type { CommandSpec } from '../command.ts';
import { CLIENTS } from '../connect/clients/index.ts';
import { OPERATION_OPTIONS } from '../operation-options.ts';
import { AUDIT_FILTERS, AUDIT_TIMES } from './audit/search.ts';

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

export const policyReplay: CommandSpec = {
  path: ['policy', 'replay'],
  summary: 'say what other policies would have decided of what the audit holds',
  description:
    'The gateway asks these policies, which are put in force nowhere, what the audit says was asked, and tells what they would ' +
    'have decided otherwise: by verdict, by rule, and of what. What is not on record is not guessed: such decisions are counted, ' +
    'with the reason. For persons who may search in all of the audit. Exit code: 0 no decision would be another, 76 some would.',
  arguments: [{ syntax: '<path>', text: 'a *.cedar file or a directory of them: the whole set' }],
  options: [
    ...AUDIT_FILTERS,
    ...AUDIT_TIMES.map((one) =>
      one.flags.startsWith('--since') ? { ...one, text: `${one.text} (default 7d)` } : one,
    ),
    { flags: '--limit <n>', text: 'tell at most so many kinds of difference, 0 to 1000 (default 20)' },
  ],
  gateway: 'as-person',
  examples: [
    'hoopctl policy replay ./policies',
    'hoopctl policy replay ./policies --since 30d --agent shop-copilot --json',
  ],
  exitCodes: [67, 69, 76, 77, 78],
  run: async (invocation) => (await import('../policy/run-replay.ts')).runReplay(invocation),
};

export const policyPack: CommandSpec = {
  path: ['policy', 'pack'],
  summary: 'list ready-made policies, print one, or write one with its cases',
  description:
    'Each pack is Cedar for one purpose, with cases for hoopctl policy test that say what it must do, of the resources of hoopd demo. ' +
    'It is to be taken into your own policies and changed there. A pack that stands over another only forbids. Asks nobody.',
  arguments: [
    {
      syntax: '[name]',
      text: 'a pack; without it all are listed',
      choices: ['read-only-agent', 'pii', 'pci', 'migrations'],
    },
  ],
  options: [
    { flags: '--tests', text: 'print its cases in place of its policies' },
    { flags: '--write <dir>', text: 'write both there, as NAME.cedar and NAME.tests.yaml, and over nothing' },
  ],
  gateway: 'none',
  examples: ['hoopctl policy pack', 'hoopctl policy pack pii --write ./policies'],
  exitCodes: [],
  run: async (invocation) => (await import('../policy/run-pack.ts')).runPack(invocation),
};
