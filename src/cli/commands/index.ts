import type { CommandSpec } from '../command.ts';
import { agentGuide } from './agents/agent-guide.ts';
import { mcp } from './agents/mcp.ts';
import {
  approvalApprove,
  approvalCancel,
  approvalDeny,
  approvalList,
  approvalRequest,
  approvalShow,
  approvalTry,
  approvalWatch,
} from './approvals.ts';
import { auditExport } from './audit/export.ts';
import { auditSearch } from './audit/search.ts';
import { auditShow } from './audit/show.ts';
import { auditSummary } from './audit/summary.ts';
import { auditVerify } from './audit/verify.ts';
import { completion } from './completion.ts';
import { connect } from './connect.ts';
import { doctor } from './doctor.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { policyExplain, policyPack, policyReplay, policyTest } from './policies.ts';
import { profileList } from './profile-list.ts';
import { resourceList } from './resource-list.ts';
import { revocationLift, revocationList } from './revocations.ts';
import { run } from './run.ts';
import { sessionKill } from './session/kill.ts';
import { sessionList } from './session/list.ts';
import { sessionReplay } from './session/replay.ts';
import { sessionShow } from './session/show.ts';
import { ssh } from './ssh.ts';
import { sshConfig } from './ssh-config.ts';
import { tunnelClose, tunnelList, tunnelLogs } from './tunnels.ts';
import { ui } from './ui.ts';
import { whoami } from './whoami.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  login,
  logout,
  whoami,
  profileList,
  ui,
  resourceList,
  connect,
  tunnelList,
  tunnelClose,
  tunnelLogs,
  run,
  ssh,
  sshConfig,
  sessionList,
  sessionShow,
  sessionKill,
  sessionReplay,
  revocationList,
  revocationLift,
  approvalRequest,
  approvalList,
  approvalShow,
  approvalTry,
  approvalApprove,
  approvalDeny,
  approvalCancel,
  approvalWatch,
  policyExplain,
  policyTest,
  policyReplay,
  policyPack,
  auditSearch,
  auditShow,
  auditSummary,
  auditVerify,
  auditExport,
  mcp,
  agentGuide,
  doctor,
  completion,
];
