/** Reads what vitest's JSON reporter says of a run. */
import { relative } from "node:path";

export interface FileResults {
  /** Of the file. */
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly {
    readonly ancestorTitles: readonly string[];
    readonly title: string;
    readonly status: string;
  }[];
}

export interface Results {
  readonly testResults: readonly FileResults[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that failed outside of its tests counts as one failure, and so does a run that failed with none. */
export function count(results: Results | undefined, exitCode: number): Counts {
  const files = results?.testResults ?? [];
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
  const passed = statuses.filter((status) => status === "passed").length;
  const failedTests = statuses.filter((status) => status === "failed").length;
  const failedFiles = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = failedTests + failedFiles;
  return {
    passed,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: statuses.length - passed - failedTests,
  };
}

/** Suites with skipped tests, and how many those are: nothing is skipped in silence. */
export function leftOut(results: Results | undefined): { suite: string; tests: number }[] {
  const counts = new Map<string, number>();
  for (const file of results?.testResults ?? []) {
    for (const { ancestorTitles, status } of file.assertionResults) {
      if (status === "passed" || status === "failed") continue;
      const suite = [relative(process.cwd(), file.name), ...ancestorTitles.slice(0, 1)].join(" > ");
      counts.set(suite, (counts.get(suite) ?? 0) + 1);
    }
  }
  return [...counts].map(([suite, tests]) => ({ suite, tests }));
}

/** More files than this do not fail by accident. */
const SECOND_LOOKS_MAX = 3;
/** What is there to look for lost messages is believed at once: a hole that opens once in a while is a hole. */
const BELIEVED = /\/(faults|simulation)\/|(-faults|\/path|\/image)\.test\.ts$/;

/** The files that failed and may be looked at once more, alone; none where one of them is to be believed. */
export function secondLooks(results: Results | undefined): readonly FileResults[] {
  const failed = (results?.testResults ?? []).filter(({ status }) => status === "failed");
  const isAccident = failed.length <= SECOND_LOOKS_MAX && !failed.some(({ name }) => BELIEVED.test(name));
  return isAccident ? failed : [];
}

/** With what the second look at a file has shown in the place of the first. */
export function replaced(results: Results, again: Results): Results {
  const anew = new Map(again.testResults.map((file) => [file.name, file]));
  return { testResults: results.testResults.map((file) => anew.get(file.name) ?? file) };
}

/** What failed in a file, each with its path. */
export function failedTitles({ name, assertionResults }: FileResults): readonly string[] {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter(({ status }) => status === "failed");
  if (failed.length === 0) return [`${file}, outside of its tests`];
  return failed.map(({ ancestorTitles, title }) => [file, ...ancestorTitles, title].join(" > "));
}
