/** In the words of draft-inadarei-api-health-check. */
export type HealthStatus = 'pass' | 'warn' | 'fail';

/** One measurement of a component in a health document. */
export interface HealthDetail {
  componentType?: string;
  observedValue?: unknown;
  observedUnit?: string;
  status: HealthStatus;
  /** Of the measurement, by ISO 8601. */
  time: string;
  /** Why it is not 'pass'. */
  output?: string;
  /** What is affected where it is not 'pass'. */
  affectedEndpoints?: string[];
}

/** A document of the media type `application/health+json`. */
export interface HealthDocument {
  status: HealthStatus;
  version?: string;
  releaseId?: string;
  notes?: string[];
  output?: string;
  serviceId?: string;
  description?: string;
  /** By `component:measurement`. */
  checks?: Record<string, HealthDetail[]>;
}

/** What a document says of the service itself. */
export type Identity = Pick<HealthDocument, 'version' | 'releaseId' | 'notes' | 'serviceId' | 'description'>;

/** What a check found, and how much that matters. */
export interface Finding {
  readonly key: string;
  readonly detail: HealthDetail;
  readonly isCritical: boolean;
}

const ORDER: readonly HealthStatus[] = ['pass', 'warn', 'fail'];

export function worse(one: HealthStatus, other: HealthStatus): HealthStatus {
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}

/** @param standing what is wrong apart from any check: that the service is draining, say */
export function documentOf(
  identity: Identity,
  findings: readonly Finding[],
  standing: string | undefined,
): HealthDocument {
  let status: HealthStatus = standing === undefined ? 'pass' : 'fail';
  const outputs = standing === undefined ? [] : [standing];
  const checks: Record<string, HealthDetail[]> = Object.create(null);
  for (const { key, detail, isCritical } of findings) {
    const weight = detail.status === 'fail' && !isCritical ? 'warn' : detail.status;
    status = worse(status, weight);
    if (detail.output !== undefined) outputs.push(`${key}: ${detail.output}`);
    const list = checks[key];
    if (list === undefined) checks[key] = [detail];
    else list.push(detail);
  }
  return {
    status,
    ...identity,
    ...(outputs.length > 0 && { output: outputs.join('; ') }),
    ...(findings.length > 0 && { checks: { ...checks } }),
  };
}

/** The document for who may not see how the service is made: without its checks, and what they say. */
export function withoutDetails(document: HealthDocument, standing: string | undefined): HealthDocument {
  const { checks, output, ...rest } = document;
  return standing === undefined ? rest : { ...rest, output: standing };
}
