import type { Tool } from '../tool.ts';
import { approvalStatus, requestApproval } from './approvals.ts';
import { searchAudit } from './audit.ts';
import { explainOperation } from './explain.ts';
import { httpRequest } from './http/request.ts';
import { kubernetesGet, kubernetesList, kubernetesLogs } from './kubernetes/read.ts';
import { queryPostgres } from './postgres/query.ts';
import { describeSchema } from './postgres/schema.ts';
import { listResources } from './resources.ts';

/** Every tool, in the order in which an agent needs them. */
export const TOOLS: readonly Tool[] = [
  listResources,
  describeSchema,
  queryPostgres,
  httpRequest,
  kubernetesList,
  kubernetesGet,
  kubernetesLogs,
  explainOperation,
  requestApproval,
  approvalStatus,
  searchAudit,
];
