/** One operator of a plan, as the kernel tells it. */
export interface PlanStep {
  readonly id: number;
  readonly parent: number | null;
  readonly lane: number;
  readonly operator: string;
  readonly name: string;
  readonly engine: string;
  readonly words: string;
  readonly details: readonly (readonly [string, string])[];
  readonly estimated?: number;
  readonly rows?: number;
  readonly seconds?: number;
  readonly bytes?: number;
  readonly share?: number;
  readonly reads?: number;
  readonly reading?: string;
  readonly surprise?: string;
}

/** The data of `application/vnd.luma-bench.plan+json`. */
export interface PlanData {
  readonly version: number;
  readonly title: string;
  readonly steps: readonly PlanStep[];
}

/** The media type of a plan's data. */
export const PLAN_MIME = 'application/vnd.luma-bench.plan+json';

/** Reads the data of a plan; null where they are none, or of a later version. */
export function readPlan(value: unknown): PlanData | null {
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['steps'])) {
    return null;
  }
  const steps = value['steps'].map(readStep);
  // A parent stands above what feeds it: what is folded is found in one pass.
  if (steps.some((step, place) => step === null || step.id !== place || (step.parent !== null && step.parent >= place))) {
    return null;
  }
  return { version: 1, title: text(value['title']), steps: steps as PlanStep[] };
}

function readStep(value: unknown): PlanStep | null {
  if (!isRecord(value) || typeof value['id'] !== 'number') {
    return null;
  }
  const { id, parent, lane } = value;
  const details = Array.isArray(value['details']) ? value['details'] : [];
  const step: Record<string, unknown> = {
    id,
    parent: typeof parent === 'number' ? parent : null,
    lane: typeof lane === 'number' ? lane : 0,
    details: details.filter((pair): pair is unknown[] => Array.isArray(pair)).map(pair => [text(pair[0]), text(pair[1])])
  };
  for (const key of ['operator', 'name', 'engine', 'words']) {
    step[key] = text(value[key]);
  }
  for (const key of ['estimated', 'rows', 'seconds', 'bytes', 'share', 'reads']) {
    if (typeof value[key] === 'number') {
      step[key] = value[key];
    }
  }
  for (const key of ['reading', 'surprise']) {
    if (typeof value[key] === 'string') {
      step[key] = value[key];
    }
  }
  return step as unknown as PlanStep;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
