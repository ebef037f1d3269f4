// The rules of draft-inadarei-api-health-check-06, by themselves.

const MEMBERS = 'status version releaseId notes output checks links serviceId description'.split(' ');
const STATUSES = ['pass', 'fail', 'warn'];
/** RFC 3339, which is what section 4 means by ISO 8601. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** What is wrong with a document, as texts; none where it is right. */
export function faultsOf(document: any): string[] {
  const faults: string[] = [];
  const must = (isRight: boolean, what: string) => {
    if (!isRight) faults.push(what);
  };
  // What JSON leaves out or changes is no part of it.
  must(JSON.stringify(JSON.parse(JSON.stringify(document))) === JSON.stringify(document), 'is not JSON');
  must(STATUSES.includes(document.status), '3.1: status is mandatory, and pass, fail or warn');
  for (const name of Object.keys(document)) must(MEMBERS.includes(name), `3: ${name} is not a member`);
  for (const name of ['version', 'releaseId', 'output', 'serviceId', 'description']) {
    must(['undefined', 'string'].includes(typeof document[name]), `3: ${name} is a text`);
  }
  const { notes = [], checks = {}, status, output } = document;
  must(
    Array.isArray(notes) && notes.every((note) => typeof note === 'string'),
    '3.4: notes is an array of texts',
  );
  must(status !== 'pass' || output === undefined, '3.5: output should be left out for pass');
  for (const [key, list] of Object.entries<any>(checks)) {
    const parts = key.split(':');
    must(parts.length <= 2 || /^[a-z]+:/.test(parts.slice(1).join(':')), `4: ${key} has too many parts`);
    must(
      parts.every((part) => part !== ''),
      `4: a part of ${key} is empty`,
    );
    must(Array.isArray(list) && list.length > 0, `4: ${key} is an array`);
    for (const detail of Array.isArray(list) ? list : [])
      faults.push(...faultsOfDetail(detail).map((fault) => `${key}: ${fault}`));
  }
  return faults;
}

function faultsOfDetail(detail: any): string[] {
  const faults: string[] = [];
  const must = (isRight: boolean, what: string) => {
    if (!isRight) faults.push(what);
  };
  const { componentType, observedValue, observedUnit, status, time, output, affectedEndpoints } = detail;
  must(componentType === undefined || typeof componentType === 'string', '4.2: componentType is a text');
  must(observedValue !== undefined || observedUnit === undefined, '4.4: a unit is of an observed value');
  must(observedUnit === undefined || (typeof observedUnit === 'string' && observedUnit !== ''), '4.4: unit');
  must(STATUSES.includes(status), '4.5: status');
  must(TIME.test(time) && !Number.isNaN(Date.parse(time)), '4.7: time is a date-time');
  must(output === undefined || typeof output === 'string', '4.8: output is a text');
  must(status !== 'pass' || output === undefined, '4.8: output should be left out for pass');
  must(status !== 'pass' || affectedEndpoints === undefined, '4.6: affectedEndpoints are left out for pass');
  must(
    affectedEndpoints === undefined ||
      (Array.isArray(affectedEndpoints) && affectedEndpoints.every((uri) => typeof uri === 'string')),
    '4.6: affectedEndpoints is an array of URIs',
  );
  return faults;
}
