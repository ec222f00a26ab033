/** What a run's results say: how much passed, and which files may be looked at once more. */
import { describe, expect, it } from "vitest";
import { count, failedTitles, replaced, secondLooks, type FileResults } from "./results.ts";

function file(name: string, ...statuses: string[]): FileResults {
  return {
    name,
    status: statuses.includes("failed") ? "failed" : "passed",
    assertionResults: statuses.map((status, index) => ({
      ancestorTitles: ["all"],
      title: `${index}`,
      status,
    })),
  };
}

describe("a second look", () => {
  const green = file("functions/test/path.test.ts", "passed");
  const red = file("functions/test/rooms.test.ts", "passed", "failed");

  it("is had by the files that failed", () => {
    expect(secondLooks({ testResults: [green, red] })).toEqual([red]);
  });

  it.each([
    "functions/test/faults/engines.test.ts",
    "functions/test/event-log-kafka-faults.test.ts",
    "functions/test/simulation/simulation.test.ts",
    "functions/test/path.test.ts",
    "functions/test/image.test.ts",
  ])("is had by none where %s failed: a loss is believed at once", (name) =>
    expect(secondLooks({ testResults: [red, file(name, "failed")] })).toEqual([]),
  );

  it("is had by none where many failed", () => {
    expect(secondLooks({ testResults: [1, 2, 3, 4].map((n) => file(`${n}.test.ts`, "failed")) })).toEqual([]);
  });

  it("stands in the place of the first, and what fails again has failed", () => {
    const seen = (again: FileResults) =>
      count(replaced({ testResults: [green, red] }, { testResults: [again] }), 0);
    expect(seen(file(red.name, "passed", "passed"))).toEqual({ passed: 3, failed: 0, skipped: 0 });
    expect(seen(red)).toEqual({ passed: 2, failed: 1, skipped: 0 });
  });

  it("names what had failed, also outside of every test", () => {
    expect(failedTitles(red)).toEqual(["functions/test/rooms.test.ts > all > 1"]);
    expect(failedTitles({ ...green, status: "failed" })).toEqual([
      "functions/test/path.test.ts, outside of its tests",
    ]);
  });
});

it("a run that ends in failure has failed, also where every test passed", () => {
  expect(count({ testResults: [file("a.test.ts", "passed")] }, 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
  expect(count(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});
