import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const FOLDER = join(__dirname, '..', '..', 'monitoring');

export const RULES = join(FOLDER, 'prometheus', 'keelson.rules.yml');
export const DASHBOARD = join(FOLDER, 'grafana', 'keelson.json');

/** A rule of Prometheus: either it records or it alerts. */
export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export const rules: readonly Rule[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);
export const alerts = rules.filter((rule) => rule.alert !== undefined);
