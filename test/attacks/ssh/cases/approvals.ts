/** S19: commands that show people who are to say yes something else than what they are. */
import { createHash } from 'node:crypto';
import type { ApprovalItem } from '../../../../src/api/approvals.ts';
import { PATHS } from '../../../../src/api/contract.ts';
import { renderApproval } from '../../../../src/cli/render/approval.ts';
import { exactView } from '../../../../src/gateway/pages/exact-view.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import type { SshAttack, SshGroup } from '../world.ts';

const ESC = '\u001b';

const TRICKS: Readonly<Record<string, string>> = {
  'the line is erased, and another one written': `rm -rf / #${ESC}[2K\rls`,
  'the cursor goes back over it': `rm -rf / #${'\b'.repeat(12)}ls -l`,
  'it is read from right to left': 'echo \u202e/ fr- mr\u202c',
  'it is set apart from what stands around it': 'echo \u2067rm -rf /\u2069 ls',
  'it goes on below many lines': `ls${'\n'.repeat(60)}rm -rf /`,
  'it goes on behind many blanks': `ls${' '.repeat(400)}; rm -rf /`,
  'a separator of lines of another kind': 'ls\u2028rm -rf /',
  'letters without a width': 'r\u200bm -rf /\u200d\ufeff',
  'letters that look like others': '\u0440m -rf /\u0430',
  'tags that nobody sees': 'ls \u{e0072}\u{e006d}',
  'blanks that are none': 'rm\u00a0-rf\u3000/',
  'the clipboard, a title and a link': `ls ${ESC}]52;c;cm0=\u0007${ESC}]0;ls\u0007${ESC}]8;;https://x${ESC}\\`,
  'a bell and a reset': `ls \u0007${ESC}c\u0000`.replace('\u0000', ''),
  'controls of eight bits': 'ls \u009b2K\u009d0;x\u009c',
  'a page that is written by it': 'ls <img src=x onerror=alert(1)> &lt;',
};

/** What a terminal or a browser acts on, or nobody sees; line ends and common blanks aside. */
const ACTS = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function asked(what: string, trick: string): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const command = `echo held; ${trick}`;
      const { gateway } = world;
      const auditor = await gateway.person(['developers'], { name: 'auditor' });
      const pending = async () =>
        (await auditor.get(`${PATHS.approvals}?status=pending`)).json.approvals as ApprovalItem[];
      const client = await world.through();
      await client.open(command);
      const [item] = (await eventually('dead: nobody is asked', async () => {
        const items = await pending();
        return items.length === 1 ? items : undefined;
      })) as [ApprovalItem];
      const exact = (await auditor.get(`${PATHS.approvals}/${item.id}`)).json as ApprovalItem;
      must(
        exact.original?.['exec'] === command,
        `not exactly that is asked: ${JSON.stringify(exact.original)}`,
      );
      const hash = createHash('sha256').update(command).digest('hex');
      must(exact.sha256?.['exec'] === hash, 'its hash is not that of its octets');
      for (const words of ['list', 'show']) {
        const ran = await world.hoopctl('approval', words, ...(words === 'list' ? [] : [item.id]));
        must(
          ran.exitCode === 0 && ran.stdout.includes('echo held'),
          `${words} does not show it: ${ran.stderr}`,
        );
        const [acts] = ACTS.exec(ran.stdout + ran.stderr) ?? [];
        must(acts === undefined, `${words} writes ${JSON.stringify(acts)}: ${JSON.stringify(ran.stdout)}`);
      }
      // As those see it who may say yes.
      const shown = renderApproval(exact, Date.now()).join('\n');
      must(!ACTS.test(shown) && shown.includes(hash), `it is shown as ${JSON.stringify(shown)}`);
      const page = exactView(exact).view.text;
      const [acts] = ACTS.exec(page) ?? [];
      must(acts === undefined, `the page has ${JSON.stringify(acts)}`);
      must(page.includes(hash) && !page.includes('<img'), `the page is not as it should be: ${page}`);
      client.close();
      await eventually('it is not withdrawn', async () => (await pending()).length === 0);
    },
  };
}

export const S19: SshGroup = {
  id: 'S19',
  policy: () => `
@id("all") permit (principal, action, resource);
@id("ask") @approval("boss") forbid (principal, action == Action::"ssh.exec", resource)
when { resource.text like "echo held*" } unless { context.approvals.contains("boss") };
`,
  more: 'approvals: { wait: 60s }',
  attacks: Object.entries(TRICKS).map(([what, trick]) => asked(what, trick)),
};
