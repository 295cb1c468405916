// Reads one JSON object a line: {questionnaire, response, rounds}. Writes one a line: the Bundle or
// OperationOutcome of the last round, issues, and the median time of a round in milliseconds.
const { createInterface } = require("node:readline");
const { inAppExtract } = require("@aehrc/sdc-template-extract");

console.warn = () => {};
console.error = () => {};
console.log = () => {};

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { questionnaire, response, rounds } = JSON.parse(line);
    const times = [];
    let made;
    for (let round = 0; round < Math.max(rounds, 1); round++) {
      const started = performance.now();
      made = await inAppExtract(response, questionnaire, null);
      times.push(performance.now() - started);
    }
    times.sort((one, other) => one - other);
    const result = made.extractSuccess
      ? { bundle: made.extractResult.extractedBundle, issues: made.extractResult.issues }
      : { bundle: null, issues: made.extractResult };
    result.milliseconds = times[Math.floor(times.length / 2)];
    process.stdout.write(JSON.stringify(result) + "\n");
  }
}

main();
